package prometheus_test

import (
	"encoding/json"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/prometheus"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// arguments are those of one server.
func arguments() prometheus.Args {
	return prometheus.Args{
		Image: "quay.io/prometheus/prometheus:v3.13.1", Replicas: 1, ScrapeInterval: "30s",
		Retention: prometheus.Retention{Time: "15d", Size: "16GB"}, Volume: part.Volume{Size: "20Gi", Class: "fast"},
	}
}

// sidecar uploads to the platform's own object storage.
func sidecar() *prometheus.Thanos {
	return &prometheus.Thanos{
		Image: "quay.io/thanos/thanos:v0.40.1", Pods: flow.Peer{Namespace: "minio"}, Port: 9000,
		Store: part.ObjectStore{
			EndpointURL: pulumi.String("https://minio.minio.svc:9000"), Region: "us-east-1", Bucket: "metrics",
			Keys: &part.Keys{AccessKey: pulumi.String("thanos"), SecretKey: pulumi.String("bucket-password")},
		},
	}
}

// rendered is what the package makes of changed arguments, transformed as a component does it.
func rendered(t *testing.T, availability workload.Availability, change func(*prometheus.Args), transforms ...manifest.Transform) *process.Objects {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	return process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
		var err error
		if args.Common, err = process.Common(ctx, availability); err != nil {
			return err
		}
		args.Transforms = transforms
		set, err := args.Set()
		if err != nil {
			return err
		}
		_, err = args.Registrar(ctx, args.Provider).Register(set)
		return err
	})
}

// at is a value of the custom resource.
func at(t *testing.T, o *process.Objects, path ...string) any {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(o.Find("Prometheus", "platform").Object, append([]string{"spec"}, path...)...)
	require.NoError(t, err)
	require.True(t, found, "%v", path)
	return value
}

func TestSingleHasNoBudget(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	assert.Empty(t, o.Names("PodDisruptionBudget"), "one would block every drain")
	assert.NotContains(t, at(t, o), "topologySpreadConstraints")
	assert.False(t, o.Find("Prometheus", "platform").Protected)
	assert.Equal(t, "condition=Available", o.Find("Prometheus", "platform").GetAnnotations()["pulumi.com/waitFor"])
	assert.Equal(t, map[string]any{"volumeClaimTemplate": map[string]any{"spec": map[string]any{
		"accessModes": []any{"ReadWriteOnce"}, "storageClassName": "fast",
		"resources": map[string]any{"requests": map[string]any{"storage": "20Gi"}},
	}}}, at(t, o, "storage"))
}

func TestZonalServersAreApartAndProtected(t *testing.T) {
	o := rendered(t, workload.Zonal, func(a *prometheus.Args) { a.Replicas = 2 })
	spread := at(t, o, "topologySpreadConstraints").([]any)[0].(map[string]any)
	assert.Equal(t, "topology.kubernetes.io/zone", spread["topologyKey"])
	assert.Equal(t, "DoNotSchedule", spread["whenUnsatisfiable"])
	assert.Len(t, o.Names("PodDisruptionBudget"), 1)
	assert.True(t, o.Find("Prometheus", "platform").Protected, "the volumes go with it")
}

func TestEverythingOfTheClusterIsSelected(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	for _, what := range []string{"serviceMonitor", "podMonitor", "probe", "rule", "scrapeConfig"} {
		assert.Equal(t, map[string]any{}, at(t, o, what+"Selector"), what)
		assert.Equal(t, map[string]any{}, at(t, o, what+"NamespaceSelector"), what)
	}
}

func TestPrometheusMayOnlyRead(t *testing.T) {
	for _, rule := range process.Decode[rbacv1.ClusterRole](t, rendered(t, workload.Single, nil), "ClusterRole", "platform-prometheus").Rules {
		assert.Subset(t, []string{"get", "list", "watch"}, rule.Verbs)
		assert.NotContains(t, rule.Resources, "secrets")
		assert.NotContains(t, rule.Resources, "configmaps")
	}
}

func TestRemoteWriteKeepsItsSecrets(t *testing.T) {
	o := rendered(t, workload.Single, func(a *prometheus.Args) {
		a.RemoteWrite = []prometheus.RemoteWrite{
			{Name: "archive", URL: "https://archive.example.com/api/v1/write", BasicAuth: &prometheus.BasicAuth{Username: "platform", Password: pulumi.String("write-password")}},
			{Name: "central", URL: "https://central.example.com:8443/write", BearerToken: pulumi.String("write-token")},
			{Name: "open", URL: "https://open.example.com/write"},
		}
	})
	assert.Equal(t, map[string]string{
		"archive.username": "platform", "archive.password": "write-password", "central.token": "write-token",
	}, o.Data("Secret", "prometheus-remote-write"))
	text, err := json.Marshal(at(t, o))
	require.NoError(t, err)
	assert.NotContains(t, string(text), "write-password")
	assert.NotContains(t, string(text), "write-token")
	all := at(t, o, "remoteWrite").([]any)
	require.Len(t, all, 3)
	assert.Equal(t, map[string]any{
		"username": map[string]any{"name": "prometheus-remote-write", "key": "archive.username"},
		"password": map[string]any{"name": "prometheus-remote-write", "key": "archive.password"},
	}, all[0].(map[string]any)["basicAuth"])
	assert.Equal(t, map[string]any{"type": "Bearer", "credentials": map[string]any{"name": "prometheus-remote-write", "key": "central.token"}},
		all[1].(map[string]any)["authorization"])
	assert.Empty(t, rendered(t, workload.Single, nil).Names("Secret")[1:], "without credentials there is that of the certificate")
}

func TestThanosUploadsToAVerifiedBucket(t *testing.T) {
	o := rendered(t, workload.Single, func(a *prometheus.Args) { a.Thanos = sidecar() })
	var config struct {
		Type   string
		Config struct {
			Bucket, Endpoint string
			AccessKey        string `json:"access_key"`
			SecretKey        string `json:"secret_key"`
			HTTP             struct {
				TLS struct {
					CAFile string `json:"ca_file"`
				} `json:"tls_config"`
			} `json:"http_config"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(o.Data("Secret", "prometheus-thanos")["objstore.yml"]), &config))
	assert.Equal(t, "S3", config.Type)
	assert.Equal(t, "minio.minio.svc:9000", config.Config.Endpoint)
	assert.Equal(t, "bucket-password", config.Config.SecretKey)
	mount := at(t, o, "thanos", "volumeMounts").([]any)[0].(map[string]any)
	assert.Equal(t, mount["mountPath"].(string)+"/"+process.Trust.Key, config.Config.HTTP.TLS.CAFile)
	volume := at(t, o, "volumes").([]any)[0].(map[string]any)
	assert.Equal(t, volume["name"], mount["name"])
	assert.Equal(t, map[string]any{"name": process.Trust.ConfigMap}, volume["configMap"])
	assert.Equal(t, "v0.40.1", at(t, o, "thanos", "version"), "the operator goes by it")
}

// Credentials are a file, and no argument of a process, and new ones are taken.
func TestThanosReadsItsCredentialsFromAFile(t *testing.T) {
	with := func(key string) *process.Objects {
		return rendered(t, workload.Single, func(a *prometheus.Args) {
			a.Thanos = sidecar()
			a.Thanos.Store.Keys.SecretKey = pulumi.String(key)
		})
	}
	o := with("bucket-password")
	assert.NotContains(t, at(t, o, "thanos"), "objectStorageConfig")
	mount := at(t, o, "thanos", "volumeMounts").([]any)[1].(map[string]any)
	assert.Equal(t, mount["mountPath"].(string)+"/objstore.yml", at(t, o, "thanos", "objectStorageConfigFile"))
	volume := at(t, o, "volumes").([]any)[1].(map[string]any)
	assert.Equal(t, volume["name"], mount["name"])
	assert.Equal(t, "prometheus-thanos", volume["secret"].(map[string]any)["secretName"])
	before := at(t, o, "podMetadata", "annotations")
	assert.NotEqual(t, before, at(t, with("new-password"), "podMetadata", "annotations"), "new pods start with new credentials")
	assert.Equal(t, before, at(t, with("bucket-password"), "podMetadata", "annotations"))
}

// Images in custom resources come from a mirror, too.
func TestImagesComeFromTheMirror(t *testing.T) {
	o := rendered(t, workload.Single, func(a *prometheus.Args) { a.Thanos = sidecar() }, manifest.MirrorImages("mirror.example.com"))
	assert.Equal(t, "mirror.example.com/quay.io/prometheus/prometheus:v3.13.1", at(t, o, "image"))
	assert.Equal(t, "mirror.example.com/quay.io/thanos/thanos:v0.40.1", at(t, o, "thanos", "image"))
	assert.Equal(t, "v3.13.1", at(t, o, "version"))
}

func TestFlowsLeadToWhatIsConfigured(t *testing.T) {
	args := arguments()
	args.Surroundings = part.Surroundings{APIServer: flow.Peer{Everywhere: true}, APIServerPorts: []int{6443}, Monitoring: prometheus.Pods}
	flows := func() map[string]flow.Flow {
		all := map[string]flow.Flow{}
		for _, f := range args.Flows() {
			all[f.Name] = f
		}
		return all
	}
	before := flows()
	assert.Equal(t, flow.Peer{}, before["prometheus-targets"].To, "any pod")
	assert.Empty(t, before["prometheus-targets"].Ports, "on any port")
	for _, name := range []string{"prometheus-nodes", "prometheus-remote-write", "prometheus-blocks"} {
		assert.NotContains(t, before, name)
	}
	args.NodePorts, args.Thanos = []int{10250}, sidecar()
	args.RemoteWrite = []prometheus.RemoteWrite{
		{Name: "a", URL: "https://a.example.com:8443/write"}, {Name: "b", URL: "https://b.example.com"}, {Name: "c", URL: "https://c.example.com"},
	}
	after := flows()
	assert.Equal(t, []int{10250}, after["prometheus-nodes"].Ports)
	assert.Equal(t, []int{443, 8443}, after["prometheus-remote-write"].Ports)
	assert.Equal(t, flow.Peer{Namespace: "minio"}, after["prometheus-blocks"].To)
	args.Thanos.Pods = flow.Peer{}
	assert.True(t, flows()["prometheus-blocks"].To.Everywhere, "a bucket outside of the cluster")
}

func TestWhatCannotWork(t *testing.T) {
	for message, change := range map[string]func(*prometheus.Args){
		`Image is "quay.io/prometheus/prometheus": allowed is an image whose tag is its version`: func(a *prometheus.Args) { a.Image = "quay.io/prometheus/prometheus" },
		`Image is "quay.io/prometheus/prometheus:latest"`:                                        func(a *prometheus.Args) { a.Image = "quay.io/prometheus/prometheus:latest" },
		"Replicas is 3: allowed are 1 and 2":                                                     func(a *prometheus.Args) { a.Replicas = 3 },
		`ScrapeInterval is "soon": allowed is a duration of Prometheus`:                          func(a *prometheus.Args) { a.ScrapeInterval = "soon" },
		`Retention.Time is "": allowed is a duration of Prometheus`:                              func(a *prometheus.Args) { a.Retention.Time = "" },
		`Retention.Size is "16": allowed is a size of Prometheus, such as 16GB or 512MiB`:        func(a *prometheus.Args) { a.Retention.Size = "16" },
		"Retention.Size is 20GB: allowed is less than the volume, which has 20Gi (Volume.Size)":  func(a *prometheus.Args) { a.Retention.Size = "20GB" },
		`Volume.Size is "much": allowed is a size such as 20Gi`:                                  func(a *prometheus.Args) { a.Volume.Size = "much" },
		`ExternalLabels has "my-region": allowed are letters, digits and underscores`:            func(a *prometheus.Args) { a.ExternalLabels = map[string]string{"my-region": "x"} },
		`RemoteWrite[0].URL is "http://a.example.com": allowed is a URL that begins with https://`: func(a *prometheus.Args) {
			a.RemoteWrite = []prometheus.RemoteWrite{{Name: "a", URL: "http://a.example.com"}}
		},
		`RemoteWrite[1].Name is "a": another one has that name`: func(a *prometheus.Args) {
			a.RemoteWrite = []prometheus.RemoteWrite{{Name: "a", URL: "https://a.example.com"}, {Name: "a", URL: "https://b.example.com"}}
		},
		"RemoteWrite[0] has BasicAuth and BearerToken: allowed is one of them": func(a *prometheus.Args) {
			a.RemoteWrite = []prometheus.RemoteWrite{{
				Name: "a", URL: "https://a.example.com", BasicAuth: &prometheus.BasicAuth{}, BearerToken: pulumi.String("x"),
			}}
		},
		"Thanos.Store.Bucket is missing": func(a *prometheus.Args) { a.Thanos = sidecar(); a.Thanos.Store.Bucket = "" },
		"Thanos.Port is 0":               func(a *prometheus.Args) { a.Thanos = sidecar(); a.Thanos.Port = 0 },
	} {
		args := arguments()
		change(&args)
		assert.ErrorContains(t, args.Check(), message)
	}
	require.NoError(t, arguments().Check())
}

// Prometheus takes both for powers of two.
func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"512B": 512, "1KB": 1024, "1KiB": 1024, "1.5GB": 3 << 29, "2TiB": 2 << 40} {
		got, err := prometheus.ParseSize(text)
		require.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
}

func TestServersServeWithTheirCertificate(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	assert.Equal(t, map[string]any{"name": "prometheus-tls", "key": "tls.key"}, at(t, o, "web", "tlsConfig", "keySecret"))
	names, _, err := unstructured.NestedStringSlice(o.Find("Certificate", "prometheus-tls").Object, "spec", "dnsNames")
	require.NoError(t, err)
	assert.Contains(t, names, "prometheus.monitoring.svc")
	assert.Contains(t, names, "localhost", "containers of the same pod")
	for _, port := range process.Decode[corev1.Service](t, o, "Service", "prometheus").Spec.Ports {
		assert.Equal(t, "https", *port.AppProtocol, port.Name)
	}
}
