package plugins

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clientset "k8s.io/client-go/kubernetes"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/kubernetes"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
)

// real is a control plane for all tests of the package.
var real *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &real) }

// generic is a resource of any type.
type generic struct {
	pulumi.CustomResourceState
	Result   pulumi.StringOutput `pulumi:"result"`
	ARN      pulumi.StringOutput `pulumi:"arn"`
	Metadata pulumi.MapOutput    `pulumi:"metadata"`
}

// program registers what a test gives it, under an explicit provider.
type program struct {
	ctx      *pulumi.Context
	provider *provider
	regions  map[string]*provider
	err      error
}

type provider struct{ pulumi.ProviderResourceState }

func (p *program) register(token, name string, props pulumi.Map, opts ...pulumi.ResourceOption) *generic {
	res := &generic{}
	if p.err != nil {
		return res
	}
	if strings.HasPrefix(token, "kubernetes:") {
		opts = append(opts, pulumi.Provider(p.provider))
	}
	p.err = p.ctx.RegisterResource(token, name, props, res, opts...)
	return res
}

// in is the AWS provider of a region.
func (p *program) in(region string) pulumi.ResourceOption {
	if p.regions[region] == nil {
		made := &provider{}
		if err := p.ctx.RegisterResource("pulumi:providers:aws", region, pulumi.Map{"region": pulumi.String(region)}, made); err != nil {
			p.err = err
		}
		p.regions[region] = made
	}
	return pulumi.Provider(p.regions[region])
}

// stack is a stack of the real engine with the plugins of this process, and the directory that its state is in.
func stack(t *testing.T, name string, build func(*program)) (auto.Stack, string) {
	t.Helper()
	host, err := Serve(t.Context(), Options{
		Kubernetes: kubernetes.Options{Target: real.REST()}, AWS: &aws.Options{},
	})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, host.Close()) })
	run := func(ctx *pulumi.Context) error {
		p := &program{ctx: ctx, provider: &provider{}, regions: map[string]*provider{}}
		p.err = ctx.RegisterResource("pulumi:providers:kubernetes", "cluster", pulumi.Map{
			"enableServerSideApply": pulumi.String("true"), "clusterIdentifier": pulumi.String("test"),
			"enableConfigMapMutable": pulumi.String("true"), "enableSecretMutable": pulumi.String("true"),
		}, p.provider)
		build(p)
		return p.err
	}
	return plugintest.Stack(t, name, map[string]string{EnvKey: host.Env()}, run)
}

func client(t *testing.T) clientset.Interface {
	t.Helper()
	c, err := clientset.NewForConfig(real.REST())
	require.NoError(t, err)
	return c
}

func meta(namespace, name string) pulumi.Map {
	m := pulumi.Map{"name": pulumi.String(name)}
	if namespace != "" {
		m["namespace"] = pulumi.String(namespace)
	}
	return m
}

// web is a Deployment for nodes with these labels.
func web(namespace string, nodes pulumi.Map) pulumi.Map {
	labels := pulumi.Map{"app": pulumi.String("web")}
	return pulumi.Map{
		"apiVersion": pulumi.String("apps/v1"), "kind": pulumi.String("Deployment"), "metadata": meta(namespace, "web"),
		"spec": pulumi.Map{
			"selector": pulumi.Map{"matchLabels": labels},
			"template": pulumi.Map{"metadata": pulumi.Map{"labels": labels}, "spec": pulumi.Map{
				"nodeSelector": nodes,
				"containers": pulumi.Array{pulumi.Map{
					"name": pulumi.String("main"), "image": pulumi.String("example.org/web:1"),
				}},
			}},
		},
	}
}

// everything is a program with an object of each sort, one of which has a value that can be changed.
func everything(p *program, ns, secret string, value string) {
	namespace := p.register("kubernetes:core/v1:Namespace", "ns", pulumi.Map{
		"apiVersion": pulumi.String("v1"), "kind": pulumi.String("Namespace"), "metadata": meta("", ns),
	})
	in := pulumi.DependsOn([]pulumi.Resource{namespace})
	generated := p.register("random:index/randomPassword:RandomPassword", "password", pulumi.Map{
		"length": pulumi.Int(24), "minSpecial": pulumi.Int(2),
	})
	p.register("kubernetes:core/v1:Secret", "secret", pulumi.Map{
		"apiVersion": pulumi.String("v1"), "kind": pulumi.String("Secret"), "metadata": meta(ns, "s"),
		"stringData": pulumi.Map{
			"given": pulumi.ToSecret(pulumi.String(secret)), "generated": generated.Result,
		},
	}, in)
	p.register("kubernetes:core/v1:ConfigMap", "config", pulumi.Map{
		"apiVersion": pulumi.String("v1"), "kind": pulumi.String("ConfigMap"), "metadata": meta(ns, "c"),
		"data": pulumi.Map{"value": pulumi.String(value)},
	}, in)
	p.register("kubernetes:core/v1:ServiceAccountPatch", "default", pulumi.Map{
		"apiVersion": pulumi.String("v1"), "kind": pulumi.String("ServiceAccount"), "metadata": meta(ns, "default"),
		"automountServiceAccountToken": pulumi.Bool(false),
	}, in)
	p.register("kubernetes:apps/v1:Deployment", "web", web(ns, pulumi.Map{}), in)
	p.ctx.Export("password", generated.Result)
}

func TestStackOnTheRealEngine(t *testing.T) {
	t.Parallel()
	const ns, secret = "engine", "the-given-password"
	value := "one"
	var password string
	s, backend := stack(t, "engine", func(p *program) { everything(p, ns, secret, value) })
	ctx, c := t.Context(), client(t)

	planned, err := s.Preview(ctx)
	require.NoError(t, err)
	assert.Equal(t, 8, planned.ChangeSummary[apitype.OpCreate], "the stack, its provider and six resources")

	up, err := s.Up(ctx)
	require.NoError(t, err)
	password, _ = up.Outputs["password"].Value.(string)
	assert.Len(t, password, 24)
	assert.True(t, up.Outputs["password"].Secret)
	made, err := c.CoreV1().Secrets(ns).Get(ctx, "s", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, password, string(made.Data["generated"]))
	account, err := c.CoreV1().ServiceAccounts(ns).Get(ctx, "default", metav1.GetOptions{})
	require.NoError(t, err)
	require.NotNil(t, account.AutomountServiceAccountToken)
	assert.False(t, *account.AutomountServiceAccountToken)

	for what, text := range map[string]string{
		"given": secret, "generated": password, "encoded": "dGhlLWdpdmVuLXBhc3N3b3Jk",
	} {
		assert.False(t, strings.Contains(plugintest.Written(t, backend), text), "a secret in the state: %s", what)
		assert.False(t, strings.Contains(up.StdOut+up.StdErr, text), "a secret in the output: %s", what)
	}

	t.Run("again", func(t *testing.T) {
		_, err := s.Preview(ctx, optpreview.ExpectNoChanges())
		require.NoError(t, err)
		_, err = s.Refresh(ctx, optrefresh.ExpectNoChanges())
		require.NoError(t, err)
		_, err = s.Up(ctx, optup.ExpectNoChanges())
		require.NoError(t, err)
	})
	t.Run("a change", func(t *testing.T) {
		value = "two"
		up, err := s.Up(ctx)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"update": 1, "same": 7}, *up.Summary.ResourceChanges)
	})
	t.Run("drift", func(t *testing.T) {
		_, err := c.CoreV1().ConfigMaps(ns).Patch(ctx, "c", types.MergePatchType,
			[]byte(`{"data":{"value":"changed by hand"}}`), metav1.PatchOptions{FieldManager: "plugins"})
		require.NoError(t, err)
		refreshed, err := s.Refresh(ctx)
		require.NoError(t, err)
		assert.Equal(t, 1, (*refreshed.Summary.ResourceChanges)["update"])
		_, err = s.Preview(ctx, optpreview.ExpectNoChanges())
		require.Error(t, err, "the next preview shows what is to be repaired")
	})
	t.Run("destroy", func(t *testing.T) {
		_, err := s.Destroy(ctx)
		require.NoError(t, err)
		_, err = c.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{})
		assert.True(t, apierrors.IsNotFound(err), "the namespace is gone when the destroy is over")
		left, err := s.Export(ctx)
		require.NoError(t, err)
		assert.NotContains(t, string(left.Deployment), "kubernetes:core")
	})
}

// TestRegionsOfAnAccount: provider resources share a plugin, but not a region; and what is secret stays so, although
// the plugin does not tell secrets from other values.
func TestRegionsOfAnAccount(t *testing.T) {
	t.Parallel()
	const secret = "the-secret-description"
	s, backend := stack(t, "regions", func(p *program) {
		for _, region := range []string{"eu-central-1", "us-east-1"} {
			key := p.register("aws:kms/key:Key", region, pulumi.Map{
				"description": pulumi.ToSecret(pulumi.String(secret)),
			}, p.in(region))
			p.ctx.Export(region, key.ARN)
		}
	})
	ctx := t.Context()
	up, err := s.Up(ctx)
	require.NoError(t, err)
	for _, region := range []string{"eu-central-1", "us-east-1"} {
		assert.Contains(t, up.Outputs[region].Value, "arn:aws:kms:"+region+":123456789012:key/")
	}
	assert.NotContains(t, plugintest.Written(t, backend), secret)
	assert.NotContains(t, up.StdOut+up.StdErr, secret)
	_, err = s.Up(ctx, optup.Refresh(), optup.ExpectNoChanges())
	require.NoError(t, err)
	assert.NotContains(t, plugintest.Written(t, backend), secret)
}

func TestInterruptedUpGoesOnLater(t *testing.T) {
	t.Parallel()
	const ns = "interrupted"
	nodes := pulumi.Map{"no": pulumi.String("such-node")}
	s, _ := stack(t, "interrupted", func(p *program) {
		namespace := p.register("kubernetes:core/v1:Namespace", "ns", pulumi.Map{
			"apiVersion": pulumi.String("v1"), "kind": pulumi.String("Namespace"), "metadata": meta("", ns),
		})
		deployment := p.register("kubernetes:apps/v1:Deployment", "web", web(ns, nodes),
			pulumi.DependsOn([]pulumi.Resource{namespace}))
		p.register("kubernetes:core/v1:ConfigMap", "after", pulumi.Map{
			"apiVersion": pulumi.String("v1"), "kind": pulumi.String("ConfigMap"), "metadata": meta(ns, "after"),
		}, pulumi.DependsOn([]pulumi.Resource{deployment}))
	})
	c := client(t)

	// The Automation API sends an interrupt to the engine when its context ends.
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Up(ctx)
		ended <- err
	}()
	require.Eventually(t, func() bool {
		_, err := c.AppsV1().Deployments(ns).Get(t.Context(), "web", metav1.GetOptions{})
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	start := time.Now()
	interrupt()
	require.Error(t, <-ended)
	assert.Less(t, time.Since(start), 10*time.Second)
	var recorded struct {
		Resources  []struct{ Type, ID string }
		Operations []any `json:"pending_operations"`
	}
	exported, err := s.Export(t.Context())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(exported.Deployment, &recorded))
	assert.Contains(t, recorded.Resources, struct{ Type, ID string }{"kubernetes:apps/v1:Deployment", ns + "/web"},
		"what exists is recorded")
	assert.Empty(t, recorded.Operations, "and nothing is left open")
	_, err = c.CoreV1().ConfigMaps(ns).Get(t.Context(), "after", metav1.GetOptions{})
	assert.True(t, apierrors.IsNotFound(err), "nothing new is begun after the interrupt")

	nodes = pulumi.Map{}
	_, err = s.Up(t.Context())
	require.NoError(t, err)
	_, err = c.CoreV1().ConfigMaps(ns).Get(t.Context(), "after", metav1.GetOptions{})
	require.NoError(t, err)
	_, err = s.Destroy(t.Context(), optdestroy.SuppressOutputs())
	require.NoError(t, err)
}
