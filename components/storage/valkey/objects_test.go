package valkey_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

func names(objects []*process.Object) []string {
	var all []string
	for _, o := range objects {
		all = append(all, o.GetName())
	}
	return all
}

func TestWhatExists(t *testing.T) {
	ca := verify.NewCA(t, "platform")
	one := render(t, ca, workload.Single, nil)
	assert.Equal(t, []string{"valkey"}, names(one.Of("StatefulSet")))
	assert.Empty(t, one.Of("Deployment"))
	assert.Empty(t, one.Of("PodDisruptionBudget"))
	assert.Empty(t, one.Of("PersistentVolumeClaim"))
	assert.Equal(t, "server", one.Find("Service", "valkey").Object["spec"].(map[string]any)["selector"].(map[string]any)["app.kubernetes.io/component"])

	all := render(t, ca, workload.Zonal, func(a *valkey.Args) { a.Persistence = &part.Volume{Size: "2Gi", Class: "fast"} })
	assert.ElementsMatch(t, []string{"valkey", "valkey-sentinels"}, names(all.Of("StatefulSet")))
	assert.ElementsMatch(t, []string{"valkey", "valkey-sentinels", "valkey-proxies"}, names(all.Of("PodDisruptionBudget")))
	assert.ElementsMatch(t, []string{"data-valkey-0", "data-valkey-1", "data-valkey-2"}, names(all.Of("PersistentVolumeClaim")))
	assert.Equal(t, "proxy", all.Find("Service", "valkey").Object["spec"].(map[string]any)["selector"].(map[string]any)["app.kubernetes.io/component"])
}

// TestVolumesCanGrowAndStay: the claims are objects of their own, under the names that the StatefulSet uses, and nothing
// that holds data is deleted by accident.
func TestVolumesCanGrowAndStay(t *testing.T) {
	all := render(t, verify.NewCA(t, "platform"), workload.Zonal, func(a *valkey.Args) { a.Persistence = &part.Volume{Size: "2Gi", Class: "fast"} })
	set := all.Find("StatefulSet", "valkey")
	assert.True(t, set.Protected)
	for _, o := range all.Of("PersistentVolumeClaim") {
		claim := &corev1.PersistentVolumeClaim{}
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, claim))
		assert.True(t, o.Protected, o.GetName())
		assert.Equal(t, "true", claim.Annotations["pulumi.com/skipAwait"], "it is bound only when its pod is scheduled")
		assert.Equal(t, "2Gi", claim.Spec.Resources.Requests.Storage().String())
		assert.Equal(t, "fast", *claim.Spec.StorageClassName)
	}
}

// TestVolumesOfServersThatAreThere: the engine sees no change when volumes grow, which a StatefulSet would refuse, and
// sees it when there were none before, or none are left.
func TestVolumesOfServersThatAreThere(t *testing.T) {
	size := func(text string) func(*valkey.Args) {
		return func(a *valkey.Args) { a.Persistence = &part.Volume{Size: text} }
	}
	for what, c := range map[string]struct {
		before, after func(*valkey.Args)
		same          bool
	}{
		"grow":      {size("2Gi"), size("3Gi"), true},
		"are added": {nil, size("2Gi"), false},
		"go":        {size("2Gi"), nil, false},
	} {
		t.Run(what, func(t *testing.T) {
			ca := verify.NewCA(t, "platform")
			before := render(t, ca, workload.Zonal, c.before).Find("StatefulSet", "valkey")
			after := render(t, ca, workload.Zonal, c.after).Find("StatefulSet", "valkey")
			olds, news := resource.NewPropertyMapFromMap(before.Object), resource.NewPropertyMapFromMap(after.Object)
			for _, text := range after.IgnoreChanges {
				path, err := resource.ParsePropertyPath(text)
				require.NoError(t, err)
				path.Reset(olds, news)
			}
			claims := func(m resource.PropertyMap) resource.PropertyValue {
				return m["spec"].ObjectValue()["volumeClaimTemplates"]
			}
			assert.Equal(t, c.same, claims(olds).DeepEquals(claims(news)))
		})
	}
}

// TestPodsFollowThePolicies: restricted, bounded, spread over zones, without an account's token.
func TestPodsFollowThePolicies(t *testing.T) {
	all := render(t, verify.NewCA(t, "platform"), workload.Zonal, nil)
	workloads := append(all.Of("StatefulSet"), all.Of("Deployment")...)
	require.Len(t, workloads, 3)
	for _, o := range workloads {
		assert.NoError(t, workload.CheckRestricted(&manifest.Object{Unstructured: o.Unstructured}))
		pod := podOf(t, o)
		assert.Equal(t, new(false), pod.Spec.AutomountServiceAccountToken, o.GetName())
		require.NotEmpty(t, pod.Spec.TopologySpreadConstraints, o.GetName())
		assert.Equal(t, corev1.LabelTopologyZone, pod.Spec.TopologySpreadConstraints[0].TopologyKey)
		for _, c := range pod.Spec.Containers {
			assert.False(t, c.Resources.Limits.Memory().IsZero(), "%s of %s", c.Name, o.GetName())
			assert.False(t, c.Resources.Requests.Cpu().IsZero(), "%s of %s", c.Name, o.GetName())
			assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, "%s of %s", c.Name, o.GetName())
		}
	}
}

func podOf(t *testing.T, o *process.Object) corev1.PodTemplateSpec {
	t.Helper()
	set := &appsv1.StatefulSet{} // a Deployment has its pod at the same place
	content, _, err := unstructured.NestedMap(o.Object, "spec", "template")
	require.NoError(t, err)
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(content, &set.Spec.Template))
	return set.Spec.Template
}

// TestPasswordsStayInSecrets: no other object holds one, and the servers' access list has only hashes.
func TestPasswordsStayInSecrets(t *testing.T) {
	all := render(t, verify.NewCA(t, "platform"), workload.Zonal, nil)
	servers, sentinels := all.Data("Secret", "valkey-servers"), all.Data("Secret", "valkey-sentinels")
	secret := []string{all.Data("Secret", valkey.SecretName)["password"]}
	for _, content := range []map[string]string{servers, sentinels} {
		for key, value := range content {
			if key != "users.acl" {
				secret = append(secret, value)
			}
		}
	}
	require.Len(t, secret, 1+4+3)
	for _, password := range secret {
		assert.NotContains(t, servers["users.acl"]+sentinels["users.acl"], password)
		for _, o := range all.All {
			if o.GetKind() != "Secret" {
				data, err := json.Marshal(o.Object)
				require.NoError(t, err)
				assert.NotContains(t, string(data), password, "%s %s", o.GetKind(), o.GetName())
			}
		}
	}
}

// TestChangesReachThePods: a process reads its configuration when it starts, so another one means other pods.
func TestChangesReachThePods(t *testing.T) {
	ca := verify.NewCA(t, "platform")
	before := render(t, ca, workload.Zonal, nil)
	annotations := func(o *process.Objects, kind, name string) map[string]string {
		return podOf(t, o.Find(kind, name)).Annotations
	}
	for what, c := range map[string]struct {
		change                      func(*valkey.Args)
		servers, sentinels, proxies bool
	}{
		"nothing":     {nil, false, false, false},
		"eviction":    {func(a *valkey.Args) { a.EvictionPolicy = "noeviction" }, true, false, false},
		"replica lag": {func(a *valkey.Args) { a.MaxReplicaLag = 5 * time.Second }, true, false, false},
		"servers":     {func(a *valkey.Args) { a.Servers = 5 }, false, false, true},
	} {
		t.Run(what, func(t *testing.T) {
			after := render(t, ca, workload.Zonal, c.change)
			changed := func(kind, name string) bool {
				return !assert.ObjectsAreEqual(annotations(before, kind, name), annotations(after, kind, name))
			}
			assert.Equal(t, c.servers, changed("StatefulSet", "valkey"))
			assert.Equal(t, c.sentinels, changed("StatefulSet", "valkey-sentinels"))
			assert.Equal(t, c.proxies, changed("Deployment", "valkey-proxies"))
		})
	}
}

func TestArgumentsThatCannotWork(t *testing.T) {
	for message, change := range map[string]func(*valkey.Args){
		"servers: 0; at least 1":                            func(a *valkey.Args) { a.Servers = 0 },
		"sentinels: 2; an odd number, at least 3":           func(a *valkey.Args) { a.Sentinels = 2 },
		"proxies: 0; at least 1":                            func(a *valkey.Args) { a.Proxies = 0 },
		"a memory limit is needed":                          func(a *valkey.Args) { a.Resources.Limits = nil },
		"maximum of memory: 101%; 1 to 100":                 func(a *valkey.Args) { a.MaxMemoryPercent = 101 },
		"lag of replicas: 500ms; whole seconds":             func(a *valkey.Args) { a.MaxReplicaLag = 500 * time.Millisecond },
		`size of the volume: "much" is no quantity such as`: func(a *valkey.Args) { a.Persistence = &part.Volume{Size: "much"} },
	} {
		t.Run(message, func(t *testing.T) {
			err := pulumi.RunErr(func(ctx *pulumi.Context) error {
				args := arguments(workload.Zonal)
				change(&args)
				_, err := valkey.New(ctx, "valkey", args)
				return err
			}, pulumi.WithMocks("controlplane", "test", refusing{}))
			assert.ErrorContains(t, err, message)
		})
	}
}

// refusing are mocks that fail when anything is registered.
type refusing struct{}

func (refusing) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return "", nil, fmt.Errorf("%s is registered", args.Name)
}

func (refusing) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("%s is called", args.Token)
}
