package postgresql_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	image       = "ghcr.io/cloudnative-pg/postgresql:18.6-standard-trixie"
	poolerImage = "ghcr.io/cloudnative-pg/pgbouncer:1.25.1"

	operatorModule, operatorPath = "github.com/cloudnative-pg/cloudnative-pg", "releases/cnpg-{version}.yaml"
	pluginModule, pluginPath     = "github.com/cloudnative-pg/plugin-barman-cloud", "manifest.yaml"
)

// registered is a resource as the component registers it.
type registered struct {
	kind, name, urn string
	dependencies    []string
	inputs          resource.PropertyMap
	protected       bool
	object          *unstructured.Unstructured // nil for what is no Kubernetes object
}

// graph is everything that one run registers.
type graph struct {
	mutex     sync.Mutex
	all       []registered
	databases map[string]postgresql.Connection
}

func (g *graph) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r := registered{
		kind: args.TypeToken, name: args.Name, inputs: args.Inputs,
		dependencies: args.RegisterRPC.GetDependencies(), protected: args.RegisterRPC.GetProtect(),
	}
	kind := args.TypeToken
	if parent := resource.URN(args.RegisterRPC.GetParent()); parent != "" && parent.QualifiedType() != resource.RootStackType {
		kind = string(parent.QualifiedType()) + "$" + kind
	}
	r.urn = "urn:pulumi:test::controlplane::" + kind + "::" + args.Name
	outputs := args.Inputs
	if strings.HasPrefix(r.kind, "kubernetes:") {
		plain, err := plugin.MarshalProperties(args.Inputs, plugin.MarshalOptions{})
		if err != nil {
			return "", nil, err
		}
		data, err := json.Marshal(plain.AsMap())
		if err != nil {
			return "", nil, err
		}
		r.object = &unstructured.Unstructured{}
		if err := r.object.UnmarshalJSON(data); err != nil {
			return "", nil, err
		}
	}
	if r.kind == "random:index/randomPassword:RandomPassword" {
		outputs = outputs.Copy()
		password := "password-of-" + args.Name
		if generation := args.Inputs["keepers"].ObjectValue()["generation"].StringValue(); generation != "0" {
			password += "-" + generation
		}
		outputs["result"] = resource.MakeSecret(resource.NewStringProperty(password))
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.all = append(g.all, r)
	return args.Name + "-id", outputs, nil
}

func (g *graph) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// provider stands for the cluster and for the source of passwords.
type provider struct{ pulumi.ProviderResourceState }

// try runs the component.
func try(args postgresql.Args) (*graph, error) {
	g := &graph{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		for kind, target := range map[string]*pulumi.ProviderResource{"kubernetes": &args.Provider, "random": &args.Random} {
			p := &provider{}
			if err := ctx.RegisterResource("pulumi:providers:"+kind, kind, pulumi.Map{}, p); err != nil {
				return err
			}
			*target = p
		}
		p, err := postgresql.New(ctx, "postgresql", args)
		if err == nil {
			g.databases = p.Databases
		}
		return err
	}, pulumi.WithMocks("controlplane", "test", g))
	return g, err
}

func run(t *testing.T, args postgresql.Args) *graph {
	t.Helper()
	g, err := try(args)
	require.NoError(t, err)
	return g
}

func (g *graph) objects(kinds ...string) []registered {
	var found []registered
	for _, r := range g.all {
		if r.object != nil && (len(kinds) == 0 || slices.Contains(kinds, r.object.GetKind())) {
			found = append(found, r)
		}
	}
	return found
}

func (g *graph) find(t *testing.T, kind, name string) registered {
	t.Helper()
	for _, r := range g.objects(kind) {
		if r.name == name {
			return r
		}
	}
	require.Failf(t, "no such object", "%s %s", kind, name)
	return registered{}
}

// field reads a value out of an object.
func (g *graph) field(t *testing.T, kind, name string, path ...string) any {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(g.find(t, kind, name).object.Object, path...)
	require.NoError(t, err)
	require.True(t, found, "%v of %s %s", path, kind, name)
	return value
}

// into reads a part of an object into a typed value.
func (g *graph) into(t *testing.T, target any, kind, name string, path ...string) {
	t.Helper()
	part := g.field(t, kind, name, path...).(map[string]any)
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(part, target, true))
}

// after lists everything that r waits for, as Kind name.
func (g *graph) after(r registered) []string {
	byURN := map[string]registered{}
	for _, other := range g.all {
		byURN[other.urn] = other
	}
	seen, names := map[string]bool{}, []string{}
	var walk func(registered)
	walk = func(r registered) {
		for _, urn := range r.dependencies {
			if d, found := byURN[urn]; found && !seen[urn] {
				seen[urn] = true
				names = append(names, d.kind[strings.LastIndex(d.kind, ":")+1:]+" "+d.name)
				walk(d)
			}
		}
	}
	walk(r)
	return names
}

// shortened are artefacts without their resource definitions, which take most of the time and matter to few tests.
var shortened = map[string]*artifact.Tree{}

func short(t *testing.T, module, path string) *artifact.Tree {
	t.Helper()
	if shortened[module] == nil {
		full := artifacttest.Fetch(t, module, path)
		set, err := manifest.ParseTree(full)
		require.NoError(t, err)
		files := fstest.MapFS{}
		for i, o := range set.Objects {
			data, err := o.MarshalJSON()
			require.NoError(t, err)
			files[fmt.Sprintf("%02d.json", i)] = &fstest.MapFile{Data: data}
		}
		shortened[module] = &artifact.Tree{FS: files, Version: full.Version, Origin: full.Origin}
	}
	return shortened[module]
}

// operatorClass is what the Control Plane's page publishes for operators.
var operatorClass = corev1.ResourceRequirements{
	Requests: corev1.ResourceList{"cpu": quantity.MustParse("100m"), "memory": quantity.MustParse("128Mi")},
	Limits:   corev1.ResourceList{"cpu": quantity.MustParse("500m"), "memory": quantity.MustParse("512Mi")},
}

// single is a small profile: one cluster of one instance with three databases.
func single(t *testing.T) postgresql.Args {
	t.Helper()
	return postgresql.Args{
		Common: part.Common{
			Availability: workload.Single, Classes: workload.Classes{workload.Operator: operatorClass},
			Issuer: "platform-ca", ControlPlaneNamespace: "controlplane-system",
			Trust: part.Trust{ConfigMap: "platform-trust", Key: "trust-bundle.pem", Label: "trust.controlplane.io/bundle", LabelValue: "platform"},
		},
		Operator: postgresql.Operator{
			Manifest: short(t, operatorModule, operatorPath), Replicas: 1, PodMonitor: true,
		},
		Clusters: []postgresql.Cluster{{
			Name: "platform", Instances: 1, Image: image, Volume: part.Volume{Size: "10Gi"}, PodMonitor: true,
			Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"cpu": quantity.MustParse("100m"), "memory": quantity.MustParse("512Mi")},
				Limits:   corev1.ResourceList{"memory": quantity.MustParse("1Gi")},
			},
			Databases: []postgresql.Database{
				{Name: "iris", Owner: "iris"}, {Name: "gateway", Owner: "gateway"}, {Name: "control_plane", Owner: "control_plane"},
			},
		}},
		ControlPlaneDatabase: "control_plane", ControlPlaneSSLMode: "verify-full",
	}
}

// zonal is the profile that survives the loss of a zone, with everything that a cluster can have.
func zonal(t *testing.T) postgresql.Args {
	t.Helper()
	args := single(t)
	args.Availability, args.Protect, args.Operator.Replicas = workload.Zonal, true, 2
	args.BackupPlugin = &postgresql.BackupPlugin{
		Manifest: short(t, pluginModule, pluginPath),
		Image:    postgresql.BackupPluginImage, SidecarImage: postgresql.BackupPluginSidecarImage,
	}
	c := &args.Clusters[0]
	c.Instances, c.SynchronousReplicas = 3, 1
	c.Volume.Class, c.WALVolume = "fast", &part.Volume{Size: "5Gi"}
	c.Pooler = &postgresql.Pooler{Instances: 2, Mode: "session", MaxClientConnections: 300, PoolSize: 20, Image: poolerImage}
	c.Backup = &postgresql.Backup{Store: minioStore("postgresql"), Schedule: "0 0 2 * * *", Retention: "30d"}
	return args
}

// minioStore is a bucket on the platform itself.
func minioStore(path string) part.ObjectStore {
	return part.ObjectStore{
		EndpointURL: pulumi.String("https://minio.minio.svc:9000"), Region: "eu-central-1", Bucket: "backups", Path: path,
		Keys: &part.Keys{AccessKey: pulumi.String("backup"), SecretKey: pulumi.ToSecret(pulumi.String("key")).(pulumi.StringOutput)},
	}
}

// amazonStore is a bucket that a role opens.
func amazonStore(path string) part.ObjectStore {
	return part.ObjectStore{
		Region: "eu-central-1", Bucket: "backups", Path: path, RoleARN: pulumi.String("arn:aws:iam::123456789012:role/backups"),
	}
}

// restored is a cluster that starts from another one's backups and makes its own.
func restored(t *testing.T) postgresql.Args {
	t.Helper()
	args := zonal(t)
	c := &args.Clusters[0]
	c.Pooler = nil
	c.Backup.Store, c.Backup.ServerName = amazonStore("postgresql"), "platform-restored"
	c.Recovery = &postgresql.Recovery{
		Store: amazonStore("postgresql"), SourceServerName: "platform", TargetTime: "2026-11-02T09:30:00Z",
	}
	return args
}

// perConsumer gives each consumer a cluster of its own.
func perConsumer(t *testing.T) postgresql.Args {
	t.Helper()
	args := zonal(t)
	all := args.Clusters[0]
	args.Clusters = nil
	for _, d := range all.Databases {
		c := all
		c.Name, c.Databases = strings.ReplaceAll(d.Name, "_", "-"), []postgresql.Database{d}
		args.Clusters = append(args.Clusters, c)
	}
	return args
}
