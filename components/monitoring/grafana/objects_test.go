package grafana_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

func TestSingleIsOneReplicaWithAVolume(t *testing.T) {
	o := rendered(t, single(), func(a *grafana.Args) { a.Volume.Class = "fast" })
	d := deployment(t, o)
	assert.EqualValues(t, 1, *d.Replicas)
	assert.Equal(t, appsv1.RecreateDeploymentStrategyType, d.Strategy.Type, "no two write to the file")
	claim := process.Decode[corev1.PersistentVolumeClaim](t, o, "PersistentVolumeClaim", "grafana")
	assert.Equal(t, "1Gi", claim.Spec.Resources.Requests.Storage().String())
	assert.Equal(t, "fast", *claim.Spec.StorageClassName)
	assert.Empty(t, o.Names("PodDisruptionBudget"), "one would block every drain")
	assert.Empty(t, o.Names("Ingress"))
	assert.Empty(t, o.Names("ServiceMonitor"))
	assert.Equal(t, []string{"grafana-tls"}, o.Names("Certificate"))
}

func TestReplicasShareADatabase(t *testing.T) {
	o := rendered(t, zonal())
	d := deployment(t, o)
	assert.EqualValues(t, 2, *d.Replicas)
	assert.Equal(t, appsv1.RollingUpdateDeploymentStrategyType, d.Strategy.Type)
	assert.Equal(t, 0, d.Strategy.RollingUpdate.MaxUnavailable.IntValue())
	assert.Empty(t, o.Names("PersistentVolumeClaim"))
	assert.Equal(t, []string{"grafana"}, o.Names("PodDisruptionBudget"))
	spread := d.Template.Spec.TopologySpreadConstraints
	require.NotEmpty(t, spread)
	assert.Equal(t, corev1.LabelTopologyZone, spread[0].TopologyKey)
}

func TestVolumeIsProtected(t *testing.T) {
	for _, protect := range []bool{true, false} {
		o := process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
			availability := workload.Single
			if protect {
				availability = workload.Zonal // which is when the harness protects
			}
			return program(availability, single())(ctx)
		})
		assert.Equal(t, protect, o.Find("PersistentVolumeClaim", "grafana").Protected)
		assert.False(t, o.Find("Deployment", "grafana").Protected)
	}
}

func TestResources(t *testing.T) {
	amounts := func(cpu string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}
	}
	own := deployment(t, rendered(t, single(), func(a *grafana.Args) {
		a.Resources = corev1.ResourceRequirements{Requests: amounts("200m"), Limits: amounts("2")}
	})).Template.Spec.Containers[0].Resources
	assert.Equal(t, "200m", own.Requests.Cpu().String())
	assert.Equal(t, "2", own.Limits.Cpu().String())
	assert.Equal(t, "512Mi", own.Limits.Memory().String(), "what is not given is the class's")
}

func TestProbesAskOverTLS(t *testing.T) {
	c := deployment(t, rendered(t, zonal())).Template.Spec.Containers[0]
	for path, probe := range map[string]*corev1.Probe{
		"/healthz": c.LivenessProbe, "/api/health": c.ReadinessProbe,
	} {
		assert.Equal(t, corev1.URISchemeHTTPS, probe.HTTPGet.Scheme)
		assert.Equal(t, path, probe.HTTPGet.Path)
	}
	start := c.StartupProbe.PeriodSeconds * c.StartupProbe.FailureThreshold
	assert.Greater(t, start, int32(240), "longer than it waits for another replica's migrations")
	assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
}

func TestEntry(t *testing.T) {
	o := rendered(t, zonal())
	i := process.Decode[networkingv1.Ingress](t, o, "Ingress", "grafana")
	assert.Equal(t, hostname, i.Spec.Rules[0].Host)
	assert.Equal(t, "HTTPS", i.Annotations["nginx.ingress.kubernetes.io/backend-protocol"])
	assert.Equal(t, "10.0.0.0/8", i.Annotations["example.com/allow"])
	assert.Equal(t, "traefik", *i.Spec.IngressClassName)
	assert.Equal(t, "grafana-public-tls", i.Spec.TLS[0].SecretName)
	issuer, _, err := unstructured.NestedString(o.Find("Certificate", "grafana-public-tls").Object, "spec", "issuerRef", "name")
	require.NoError(t, err)
	assert.Equal(t, "letsencrypt", issuer)
}

// What Grafana reads only when it starts starts new pods; dashboards it reads again by itself.
func TestWhatStartsNewPods(t *testing.T) {
	template := func(change func(*grafana.Args)) corev1.PodTemplateSpec {
		return deployment(t, rendered(t, zonal(), change)).Template
	}
	before := template(func(*grafana.Args) {})
	assert.Equal(t, before, template(func(*grafana.Args) {}), "the same program changes nothing")
	for what, change := range map[string]func(*grafana.Args){
		"host of the database":     func(a *grafana.Args) { a.Database.Host = pulumi.String("elsewhere") },
		"password of the database": func(a *grafana.Args) { a.Database.Password = pulumi.String("another") },
		"secret of the client":     func(a *grafana.Args) { a.OIDC.ClientSecret = pulumi.String("another") },
		"generation of passwords":  func(a *grafana.Args) { a.PasswordGeneration = 2 },
		"host name":                func(a *grafana.Args) { a.Hostname = "other.example.com" },
		"data source":              func(a *grafana.Args) { a.PrometheusURL = "https://other.example.com" },
		"role":                     func(a *grafana.Args) { a.OIDC.Roles.Viewer = "" },
		"folder":                   func(a *grafana.Args) { a.Dashboards[1].Folder = "Another" },
	} {
		assert.NotEqual(t, before, template(change), what)
	}
	assert.Equal(t, before, template(func(a *grafana.Args) {
		a.Dashboards[0].JSON = []byte(`{"uid":"overview","title":"Overview","panels":[{}]}`)
		a.Dashboards = append(a.Dashboards, dashboard("Platform", "new", "New"))
	}), "dashboards")
}

func TestWhatMustNotChangeStays(t *testing.T) {
	data := func(generation int) [3]string {
		o := rendered(t, zonal(), func(a *grafana.Args) { a.PasswordGeneration = generation })
		return [3]string{
			o.Data("Secret", "grafana-admin")["password"], o.Data("Secret", "grafana-credentials")["secret-key"],
			o.Data("Secret", "grafana-metrics")["password"],
		}
	}
	first, second := data(1), data(2)
	assert.Equal(t, first[0], second[0], "Grafana takes it at its first start only")
	assert.Equal(t, first[1], second[1], "what it has encrypted could not be read any more")
	assert.NotEqual(t, first[2], second[2])
}

func TestSecretsAreInSecretsOnly(t *testing.T) {
	o := rendered(t, zonal())
	secrets := []string{databasePassword, clientSecret}
	for _, name := range []string{"grafana-admin", "grafana-credentials", "grafana-metrics"} {
		for key, value := range o.Data("Secret", name) {
			if key != "username" {
				secrets = append(secrets, value)
			}
		}
	}
	require.Len(t, secrets, 7)
	for _, object := range o.All {
		if object.GetKind() == "Secret" {
			continue
		}
		text, err := object.MarshalJSON()
		require.NoError(t, err)
		for _, secret := range secrets {
			assert.NotContains(t, string(text), secret, "%s %s", object.GetKind(), object.GetName())
		}
	}
	for _, mount := range deployment(t, o).Template.Spec.Volumes {
		switch {
		case mount.Secret != nil:
			assert.EqualValues(t, 0o440, *mount.Secret.DefaultMode)
		case mount.Name == "secrets":
			assert.EqualValues(t, 0o440, *mount.Projected.DefaultMode)
		}
	}
}

func TestPrometheusVerifiesReplicas(t *testing.T) {
	o := rendered(t, zonal())
	endpoints, _, err := unstructured.NestedSlice(o.Find("ServiceMonitor", "grafana").Object, "spec", "endpoints")
	require.NoError(t, err)
	endpoint := endpoints[0].(map[string]any)
	assert.Equal(t, "https", endpoint["scheme"])
	names, _, err := unstructured.NestedSlice(o.Find("Certificate", "grafana-tls").Object, "spec", "dnsNames")
	require.NoError(t, err)
	assert.Contains(t, names, endpoint["tlsConfig"].(map[string]any)["serverName"])
	password := endpoint["basicAuth"].(map[string]any)["password"].(map[string]any)
	assert.NotEmpty(t, o.Data("Secret", password["name"].(string))[password["key"].(string)])
}

// Whoever has to be reached is, with all that there can be.
func TestFlows(t *testing.T) {
	args := zonal()
	args.Surroundings = flows.Surroundings
	declared := args.Flows()
	flows.Check(t, declared, flows.Rendered(rendered(t, zonal())), flows.Solver("monitoring"), flows.Pods{
		Namespace: "monitoring", Name: "prometheus", Labels: map[string]string{"app.kubernetes.io/name": "prometheus"},
		Ports: map[string]int{"web": 9090},
	})
	ports := map[string][]int{}
	for _, f := range declared {
		ports[f.Name] = f.Ports
	}
	assert.Equal(t, []int{8443}, ports["grafana-identity"])
	assert.Equal(t, []int{5432}, ports["grafana-database"])
	alone := single().Flows()
	require.Len(t, alone, 1)
	assert.Equal(t, "grafana-prometheus", alone[0].Name)
}

func TestWhatCannotWork(t *testing.T) {
	for message, change := range map[string]func(*grafana.Args){
		"Image is missing":                      func(a *grafana.Args) { a.Image = "" },
		"AdminUser is missing":                  func(a *grafana.Args) { a.AdminUser = "" },
		"Replicas is 0: allowed are 1 and more": func(a *grafana.Args) { a.Replicas = 0 },
		"Replicas is 2: without a Database, which they would share, allowed is 1":   func(a *grafana.Args) { a.Database = nil },
		`Volume.Size is "": without a Database needed is a size`:                    func(a *grafana.Args) { a.Database = nil },
		"Volume has no use with a Database":                                         func(a *grafana.Args) { a.Volume = part.Volume{Size: "1Gi"} },
		"Database.Host is missing":                                                  func(a *grafana.Args) { a.Database.Host = nil },
		"Database.Port is 0: allowed are 1 to 65535":                                func(a *grafana.Args) { a.Database.Port = 0 },
		`PrometheusURL is "http://x": allowed are URLs with https`:                  func(a *grafana.Args) { a.PrometheusURL = "http://x" },
		"Ingress.Issuer is missing: the host name grafana.example.com needs":        func(a *grafana.Args) { a.Ingress.Issuer = "" },
		"OIDC needs a Hostname":                                                     func(a *grafana.Args) { a.Hostname = "" },
		"OIDC.ClientID is missing":                                                  func(a *grafana.Args) { a.OIDC.ClientID = "" },
		"OIDC.Roles are missing: without any nobody could log in":                   func(a *grafana.Args) { a.OIDC.Roles = grafana.Roles{} },
		`OIDC.Roles has "x' || 'Admin": allowed are letters`:                        func(a *grafana.Args) { a.OIDC.Roles.Viewer = "x' || 'Admin" },
		`OIDC.Roles has "grafana-admin" twice`:                                      func(a *grafana.Args) { a.OIDC.Roles.Viewer = "grafana-admin" },
		`OIDC.InternalRealmURL is "http://iris": allowed are URLs with https`:       func(a *grafana.Args) { a.OIDC.InternalRealmURL = "http://iris" },
		`Home is "nothing": allowed are the UIDs of the Dashboards`:                 func(a *grafana.Args) { a.Home = "nothing" },
		"there are two dashboards with the UID overview":                            func(a *grafana.Args) { a.Dashboards = append(a.Dashboards, a.Dashboards[0]) },
		`dashboard overview "Another": its JSON says uid "overview" and title "Ove`: func(a *grafana.Args) { a.Dashboards[0].Title = "Another" },
		"dashboard overview: unexpected end of JSON input":                          func(a *grafana.Args) { a.Dashboards[0].JSON = []byte("{") },
		`has the UID "a b": allowed are 1 to 40 letters`:                            func(a *grafana.Args) { a.Dashboards[0].UID = "a b" },
		`the folders "platform" and "Platform" differ too little`:                   func(a *grafana.Args) { a.Dashboards[0].Folder = "platform" },
		`has the folder "?": allowed are names with a letter or a digit`:            func(a *grafana.Args) { a.Dashboards[0].Folder = "?" },
		"Database.Password is missing":                                              func(a *grafana.Args) { a.Database.Password = nil },
		"OIDC.ClientSecret is missing":                                              func(a *grafana.Args) { a.OIDC.ClientSecret = nil },
	} {
		args := zonal()
		change(&args)
		_, err := args.Set(grafana.Secrets{})
		assert.ErrorContains(t, err, message)
	}
	args := zonal()
	args.Ingress.Controller = flow.Peer{}
	assert.NoError(t, args.Check(), "an ingress controller may be anywhere")
}
