package minio_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const (
	eventually = time.Minute
	pause      = 100 * time.Millisecond
)

// nested is a value in an object.
func nested(t *testing.T, object map[string]any, path ...string) any {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(object, path...)
	require.NoError(t, err)
	require.True(t, found, "%v", path)
	return value
}

func render(t *testing.T, availability workload.Availability, args minio.Args) *process.Objects {
	t.Helper()
	return process.Render(t, verify.NewCA(t, "platform"), program(availability, args, nil))
}

// recorder remembers how resources are registered.
type recorder struct {
	mutex    sync.Mutex
	all      map[string]pulumi.MockResourceArgs // by type and name
	password string                             // what passwords begin with
}

// record runs the program and remembers what it registers.
func record(t *testing.T, availability workload.Availability, args minio.Args, password string) *recorder {
	t.Helper()
	r := &recorder{all: map[string]pulumi.MockResourceArgs{}, password: password}
	require.NoError(t, pulumi.RunErr(program(availability, args, nil), pulumi.WithMocks("controlplane", "test", r)))
	return r
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.all[args.TypeToken+" "+args.Name] = args
	outputs := args.Inputs.Copy()
	outputs["result"] = resource.NewProperty(r.password + args.Name)
	return args.Name, outputs, nil
}

func (*recorder) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// waits reports whether the resource waits for the other one, given by its name.
func (r *recorder) waits(kindAndName, other string) bool {
	for _, urn := range r.all[kindAndName].RegisterRPC.GetDependencies() {
		if strings.HasSuffix(urn, "::"+other) {
			return true
		}
	}
	return false
}

func TestOrderAndProtection(t *testing.T) {
	r := record(t, workload.Zonal, arguments(4), "")
	const set, job = "kubernetes:apps/v1:StatefulSet minio/minio", "kubernetes:batch/v1:Job minio/minio-bootstrap"
	for first, second := range map[string]string{
		"minio/data-minio-3": set, "minio/minio-tls": set, "minio/minio-root": set,
		"minio/minio": job, "minio/minio-users": job,
		"minio/minio-bootstrap": "kubernetes:core/v1:Secret controlplane-system/minio-file-manager",
	} {
		assert.True(t, r.waits(second, first), "%s waits for %s", second, first)
	}
	protected := map[string]bool{}
	for name, args := range r.all {
		if strings.HasPrefix(name, "pulumi:providers:") || args.TypeToken == minio.Type || strings.HasPrefix(name, "pulumi:pulumi:Stack") {
			continue
		}
		assert.Contains(t, args.RegisterRPC.GetParent(), minio.Type+"::storage-minio", name)
		if args.RegisterRPC.GetProtect() {
			protected[args.Name] = true
		}
	}
	assert.Equal(t, map[string]bool{
		"minio": true, "minio/data-minio-0": true, "minio/data-minio-1": true, "minio/data-minio-2": true, "minio/data-minio-3": true,
	}, protected, "the volumes and the namespace that they would go with")
	rpc := r.all[set].RegisterRPC
	assert.Equal(t, []string{"spec.volumeClaimTemplates"}, rpc.GetIgnoreChanges(), "so that volumes can grow")
	assert.Equal(t, []string{`spec.template.metadata.annotations["controlplane.io/root-credentials"]`}, rpc.GetReplaceOnChanges(),
		"all servers get a new root password at once")
}

func TestPasswordsStayWhereTheyBelong(t *testing.T) {
	objects := render(t, workload.Zonal, arguments(4))
	holders := map[string][]string{}
	for what, password := range map[string]string{
		"root": objects.Data("Secret", "minio-root")["password"], "file manager": objects.Data("Secret", "minio-file-manager")["secretKey"],
		"backups": objects.Data("Secret", "minio-users")["backups"],
	} {
		require.Len(t, password, 32)
		for _, o := range objects.All {
			data, err := json.Marshal(o.Object)
			require.NoError(t, err)
			if strings.Contains(string(data), password) {
				holders[what] = append(holders[what], o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName())
			}
		}
	}
	assert.Equal(t, []string{"Secret minio/minio-root"}, holders["root"])
	assert.ElementsMatch(t, []string{"Secret minio/minio-users", "Secret controlplane-system/minio-file-manager"}, holders["file manager"])
	assert.Equal(t, []string{"Secret minio/minio-users"}, holders["backups"])
}

func TestWorkloads(t *testing.T) {
	objects := render(t, workload.Zonal, arguments(6))
	for _, o := range append(objects.Of("StatefulSet"), objects.Of("Job")...) {
		assert.NoError(t, workload.CheckRestricted(&manifest.Object{Unstructured: o.Unstructured}))
		pod := nested(t, o.Object, "spec", "template", "spec").(map[string]any)
		assert.Equal(t, false, pod["automountServiceAccountToken"], o.GetName())
		assert.Equal(t, false, pod["enableServiceLinks"], "variables named after Services would be taken for settings")
		container := pod["containers"].([]any)[0].(map[string]any)
		assert.Equal(t, image, container["image"])
		assert.Equal(t, true, nested(t, container, "securityContext", "readOnlyRootFilesystem"))
		for _, path := range [][]string{{"requests", "cpu"}, {"requests", "memory"}, {"limits", "cpu"}, {"limits", "memory"}} {
			assert.NotEmpty(t, nested(t, container, append([]string{"resources"}, path...)...))
		}
	}
	assert.EqualValues(t, 1, nested(t, objects.Find("PodDisruptionBudget", "minio").Object, "spec", "maxUnavailable"))
	spread := nested(t, objects.Find("StatefulSet", "minio").Object, "spec", "template", "spec", "topologySpreadConstraints")
	assert.Contains(t, fmt.Sprint(spread), "topology.kubernetes.io/zone")
	assert.Len(t, objects.Of("PersistentVolumeClaim"), 6)
	names := nested(t, objects.Find("Certificate", "minio-tls").Object, "spec", "dnsNames")
	assert.Subset(t, names, []any{"minio.minio.svc", "minio-0.minio-headless.minio.svc", "minio-5.minio-headless.minio.svc"})
	assert.Empty(t, render(t, workload.Single, arguments(1)).Of("PodDisruptionBudget"))
}

// TestTargetsDiffer: Prometheus asks each server twice, and both answers have metrics of the same names.
func TestTargetsDiffer(t *testing.T) {
	paths := map[string]bool{}
	for _, e := range nested(t, render(t, workload.Single, arguments(1)).Find("ServiceMonitor", "minio").Object, "spec", "endpoints").([]any) {
		one := e.(map[string]any)
		paths[one["path"].(string)] = true
		assert.Equal(t, []any{map[string]any{
			"action": "replace", "sourceLabels": []any{"__metrics_path__"}, "targetLabel": "metrics_path",
		}}, one["relabelings"], "targets that differ in nothing else have the path as a label")
	}
	assert.Equal(t, map[string]bool{"/minio/v2/metrics/node": true, "/minio/v2/metrics/cluster": true}, paths)
}

func TestOutputs(t *testing.T) {
	var with, without *minio.MinIO
	objects := process.Render(t, verify.NewCA(t, "platform"), program(workload.Single, arguments(1), &with))
	args := arguments(1)
	args.BackupBucket, args.ServiceMonitor = "", false
	bare := process.Render(t, verify.NewCA(t, "platform"), program(workload.Single, args, &without))
	assert.Equal(t, map[string]string{
		"accessKey": "file-manager", "secretKey": objects.Data("Secret", "minio-users")["file-manager"],
		"endpoint": with.Endpoint, "bucket": with.Bucket,
	}, objects.Data("Secret", with.CredentialsSecret))
	assert.Equal(t, "minio.minio.svc:9000", with.Endpoint)
	require.NotNil(t, with.Backups)
	assert.Equal(t, "controlplane-backups", with.Backups.Bucket)
	assert.Equal(t, pulumi.String("https://minio.minio.svc:9000"), with.Backups.EndpointURL)
	assert.Nil(t, without.Backups)
	assert.Empty(t, bare.Of("ServiceMonitor"))
	assert.NotContains(t, bare.Data("Secret", "minio-users"), "backups")
}

// TestSetUpRunsAgain: a Job runs once, so what it does has to be part of its template.
func TestSetUpRunsAgain(t *testing.T) {
	template := func(password string, change func(*minio.Args)) string {
		args := arguments(1)
		change(&args)
		inputs := record(t, workload.Single, args, password).all["kubernetes:batch/v1:Job minio/minio-bootstrap"].Inputs
		value := inputs["spec"].ObjectValue()["template"]
		assert.False(t, value.ContainsSecrets(), "a preview shows why it runs again")
		return value.String()
	}
	same := func(*minio.Args) {}
	first := template("one ", same)
	assert.Equal(t, first, template("one ", func(a *minio.Args) { a.Volume.Size = "2Gi" }), "nothing that it does")
	assert.NotEqual(t, first, template("two ", same), "another password")
	assert.NotEqual(t, first, template("one ", func(a *minio.Args) { a.Bucket = "other" }), "another bucket")
	assert.NotEqual(t, first, template("one ", func(a *minio.Args) { a.BackupBucket = "" }), "no backups")
}

func TestParity(t *testing.T) {
	for servers, parity := range map[int]string{4: "", 12: "", 13: "EC:5", 16: "EC:6"} {
		containers := nested(t, render(t, workload.Zonal, arguments(servers)).Find("StatefulSet", "minio").Object,
			"spec", "template", "spec", "containers").([]any)
		got := ""
		for _, e := range containers[0].(map[string]any)["env"].([]any) {
			if v := e.(map[string]any); v["name"] == "MINIO_STORAGE_CLASS_STANDARD" {
				got = v["value"].(string)
			}
		}
		assert.Equal(t, parity, got, "%d servers", servers)
	}
}

func TestArgumentsThatCannotWork(t *testing.T) {
	for message, change := range map[string]func(*minio.Args){
		"Servers is 3: allowed are 1, or 4 to 16":                    func(a *minio.Args) { a.Servers = 3 },
		"Servers is 17: allowed are 1, or 4 to 16":                   func(a *minio.Args) { a.Servers = 17 },
		"Servers is 1: with availability zonal allowed are 4 to 16":  func(a *minio.Args) { a.Servers = 1 },
		`Volume.Size is "much": allowed are quantities such as 10Gi`: func(a *minio.Args) { a.Volume.Size = "much" },
		"Bucket is missing": func(a *minio.Args) { a.Bucket = "" },
		`BackupBucket is "controlplane-files": the File Manager's bucket`: func(a *minio.Args) { a.BackupBucket = a.Bucket },
	} {
		args := arguments(4)
		change(&args)
		r := &recorder{all: map[string]pulumi.MockResourceArgs{}}
		err := pulumi.RunErr(program(workload.Zonal, args, nil), pulumi.WithMocks("controlplane", "test", r))
		assert.ErrorContains(t, err, message)
		assert.NotContains(t, r.all, "kubernetes:core/v1:Namespace minio", "nothing is created")
	}
}
