package identity_test

import (
	"fmt"
	"strings"
	"testing"

	property "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/identity"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// nested is a value in an object.
func nested(t *testing.T, object map[string]any, path ...string) any {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(object, path...)
	require.NoError(t, err)
	require.True(t, found, "%v", path)
	return value
}

// rendered is the component with changed arguments.
func rendered(t *testing.T, availability workload.Availability, change func(*identity.Args)) *process.Objects {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	return process.Render(t, verify.NewCA(t, "platform"), program(availability, args))
}

// env are the server's variables that have their values in the pod.
func env(t *testing.T, o *process.Objects) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, v := range process.Decode[appsv1.Deployment](t, o, "Deployment", "iris").Spec.Template.Spec.Containers[0].Env {
		all[v.Name] = v.Value
	}
	return all
}

func TestSingleIsOneServer(t *testing.T) {
	o := rendered(t, workload.Single, func(a *identity.Args) { a.Replicas = 1 })
	d := process.Decode[appsv1.Deployment](t, o, "Deployment", "iris")
	assert.EqualValues(t, 1, *d.Spec.Replicas)
	assert.Empty(t, d.Spec.Template.Spec.TopologySpreadConstraints)
	assert.Empty(t, o.Names("PodDisruptionBudget"), "one would block every drain")
	assert.Equal(t, 1, d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue())
	assert.Equal(t, 0, d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue())
}

func TestZonalSpreadsServers(t *testing.T) {
	o := rendered(t, workload.Zonal, nil)
	d := process.Decode[appsv1.Deployment](t, o, "Deployment", "iris")
	assert.EqualValues(t, 3, *d.Spec.Replicas)
	spread := d.Spec.Template.Spec.TopologySpreadConstraints
	require.NotEmpty(t, spread)
	assert.Equal(t, corev1.LabelTopologyZone, spread[0].TopologyKey)
	assert.Equal(t, corev1.DoNotSchedule, spread[0].WhenUnsatisfiable)
	budget := process.Decode[policyv1.PodDisruptionBudget](t, o, "PodDisruptionBudget", "iris")
	assert.Equal(t, 1, budget.Spec.MaxUnavailable.IntValue())
	assert.Equal(t, d.Spec.Selector, budget.Spec.Selector)
}

// What a server takes to start and to end fits into what it is given.
func TestTimes(t *testing.T) {
	spec := process.Decode[appsv1.Deployment](t, rendered(t, workload.Zonal, nil), "Deployment", "iris").Spec
	pod, server := spec.Template.Spec, spec.Template.Spec.Containers[0]
	start := server.StartupProbe.PeriodSeconds * server.StartupProbe.FailureThreshold
	assert.GreaterOrEqual(t, start, int32(240), "two minutes, and a database to migrate")
	assert.Greater(t, *spec.ProgressDeadlineSeconds, start+120, "the build comes first")
	var ending int64
	for _, name := range []string{"KC_SHUTDOWN_DELAY", "KC_SHUTDOWN_TIMEOUT"} {
		var seconds int64
		_, err := fmt.Sscanf(env(t, rendered(t, workload.Zonal, nil))[name], "%ds", &seconds)
		require.NoError(t, err)
		ending += seconds
	}
	assert.Greater(t, *pod.TerminationGracePeriodSeconds, server.Lifecycle.PreStop.Sleep.Seconds+ending)
}

func TestUpstreamImageIsBuiltBeforeItStarts(t *testing.T) {
	pod := process.Decode[appsv1.Deployment](t, rendered(t, workload.Single, nil), "Deployment", "iris").Spec.Template.Spec
	require.Len(t, pod.InitContainers, 2)
	assert.Equal(t, []string{"build"}, pod.InitContainers[1].Args)
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		assert.Equal(t, "2Gi", c.Resources.Limits.Memory().String(), c.Name)
		assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, c.Name)
	}

	pod = process.Decode[appsv1.Deployment](t, rendered(t, workload.Single, func(a *identity.Args) { a.Optimized = true }), "Deployment", "iris").Spec.Template.Spec
	assert.Empty(t, pod.InitContainers)
	for _, m := range pod.Containers[0].VolumeMounts {
		assert.NotEqual(t, "/opt/keycloak/lib/quarkus", m.MountPath, "the image's own build is used")
	}
	assert.Equal(t, []string{"start", "--optimized"}, pod.Containers[0].Args)
}

func TestPublicEntryHasNoAdministration(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	assert.Equal(t, []string{"iris"}, o.Names("Ingress"))
	i := process.Decode[networkingv1.Ingress](t, o, "Ingress", "iris")
	assert.Equal(t, []string{"iris.example.com/auth/realms", "iris.example.com/auth/resources"}, paths(i))
	assert.Nil(t, i.Spec.IngressClassName, "the default class")
	assert.Equal(t, "HTTPS", i.Annotations["nginx.ingress.kubernetes.io/backend-protocol"])
	assert.Equal(t, "iris-public-tls", i.Spec.TLS[0].SecretName)
	certificate := o.Find("Certificate", "iris-public-tls").Object
	assert.Equal(t, "letsencrypt", nested(t, certificate, "spec", "issuerRef", "name"))
	assert.Equal(t, []any{publicHost}, nested(t, certificate, "spec", "dnsNames"))
	assert.Equal(t, "https://localhost:8443/auth", env(t, o)["KC_HOSTNAME_ADMIN"])
	assert.Equal(t, "false", env(t, o)["KC_HTTP_ENABLED"])
	assert.Len(t, process.Decode[corev1.Service](t, o, "Service", "iris").Spec.Ports, 1)
	assert.NotContains(t, o.Names("NetworkPolicy"), "allow-iris-plain-http-ingress")
}

// paths are the host names with the paths that an Ingress serves.
func paths(i networkingv1.Ingress) []string {
	var all []string
	for _, rule := range i.Spec.Rules {
		for _, path := range rule.HTTP.Paths {
			all = append(all, rule.Host+path.Path)
		}
	}
	return all
}

func TestAdministrationHasAHostNameOfItsOwn(t *testing.T) {
	o := rendered(t, workload.Single, func(a *identity.Args) {
		a.Admin.Hostname = "iris-admin.example.com"
		a.Ingress.ClassName, a.Ingress.Annotations = "internal", map[string]string{"example.com/allow": "10.0.0.0/8"}
	})
	assert.Equal(t, []string{"iris.example.com/auth/realms", "iris.example.com/auth/resources"},
		paths(process.Decode[networkingv1.Ingress](t, o, "Ingress", "iris")))
	i := process.Decode[networkingv1.Ingress](t, o, "Ingress", "iris-admin")
	assert.Equal(t, []string{
		"iris-admin.example.com/auth/admin", "iris-admin.example.com/auth/realms", "iris-admin.example.com/auth/resources",
	}, paths(i))
	assert.Equal(t, "internal", *i.Spec.IngressClassName)
	assert.Equal(t, "10.0.0.0/8", i.Annotations["example.com/allow"])
	assert.Equal(t, []any{"iris-admin.example.com"}, nested(t, o.Find("Certificate", "iris-admin-public-tls").Object, "spec", "dnsNames"))
	assert.Equal(t, "https://iris-admin.example.com/auth", env(t, o)["KC_HOSTNAME_ADMIN"])
}

func TestPlainHTTPIsForTheControlPlaneOnly(t *testing.T) {
	o := rendered(t, workload.Single, func(a *identity.Args) { a.Admin.PlainHTTP = true })
	assert.Equal(t, "true", env(t, o)["KC_HTTP_ENABLED"])
	assert.Len(t, process.Decode[corev1.Service](t, o, "Service", "iris").Spec.Ports, 2)
	p := process.Decode[networkingv1.NetworkPolicy](t, o, "NetworkPolicy", "allow-iris-plain-http-ingress")
	require.Len(t, p.Spec.Ingress, 1)
	assert.Equal(t, 8080, p.Spec.Ingress[0].Ports[0].Port.IntValue())
	assert.Equal(t, map[string]string{corev1.LabelMetadataName: "controlplane-system"}, p.Spec.Ingress[0].From[0].NamespaceSelector.MatchLabels)
}

func TestAddressesOfTheComponent(t *testing.T) {
	for want, change := range map[string]func(*identity.Args){
		"https://iris.identity.svc:8443/auth/admin/realms": func(*identity.Args) {},
		"http://iris.identity.svc:8080/auth/admin/realms":  func(a *identity.Args) { a.Admin.PlainHTTP = true },
		"https://iris-admin.example.com/auth/admin/realms": func(a *identity.Args) {
			a.Admin.Hostname, a.Admin.PlainHTTP = "iris-admin.example.com", true
		},
	} {
		process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
			args := arguments()
			var err error
			if args.Common, err = process.Common(ctx, workload.Single); err != nil {
				return err
			}
			change(&args)
			i, err := identity.New(ctx, "identity", args)
			if err != nil {
				return err
			}
			assert.Equal(t, want, i.AdminURL)
			assert.Equal(t, publicURL, i.URL)
			assert.Equal(t, "https://iris.identity.svc:8443", i.InternalURL)
			assert.Equal(t, adminUser, i.AdminUser)
			return nil
		})
	}
}

func TestAutoscaling(t *testing.T) {
	o := rendered(t, workload.Zonal, func(a *identity.Args) {
		a.Autoscaling = &identity.Autoscaling{MaxReplicas: 6, TargetCPUPercent: 70}
		a.Database.Connections = 70
	})
	assert.EqualValues(t, 3, *process.Decode[appsv1.Deployment](t, o, "Deployment", "iris").Spec.Replicas, "without it there would be 1")
	assert.Equal(t, []string{"spec.replicas"}, o.Find("Deployment", "iris").IgnoreChanges, "the autoscaler owns the number")
	assert.Empty(t, rendered(t, workload.Zonal, nil).Find("Deployment", "iris").IgnoreChanges, "without one the number is repaired")
	h := process.Decode[autoscalingv2.HorizontalPodAutoscaler](t, o, "HorizontalPodAutoscaler", "iris").Spec
	assert.EqualValues(t, 3, *h.MinReplicas)
	assert.EqualValues(t, 6, h.MaxReplicas)
	assert.EqualValues(t, 70, *h.Metrics[0].Resource.Target.AverageUtilization)
	assert.Greater(t, *h.Behavior.ScaleDown.StabilizationWindowSeconds, *h.Behavior.ScaleUp.StabilizationWindowSeconds)
	assert.Len(t, o.Names("PodDisruptionBudget"), 1)
	assert.Equal(t, "10", env(t, o)["KC_DB_POOL_MAX_SIZE"], "a share of seven")
}

func TestRecreateEndsOldServersFirst(t *testing.T) {
	o := rendered(t, workload.Zonal, func(a *identity.Args) { a.Recreate = true })
	strategy := process.Decode[appsv1.Deployment](t, o, "Deployment", "iris").Spec.Strategy
	assert.Equal(t, appsv1.RecreateDeploymentStrategyType, strategy.Type)
	assert.Nil(t, strategy.RollingUpdate)
}

func TestNewPasswordsStartNewServers(t *testing.T) {
	template := func(change func(*identity.Args)) corev1.PodTemplateSpec {
		return process.Decode[appsv1.Deployment](t, rendered(t, workload.Single, change), "Deployment", "iris").Spec.Template
	}
	before := template(nil)
	assert.Equal(t, before, template(nil), "the same program changes nothing")
	for what, change := range map[string]func(*identity.Args){
		"database": func(a *identity.Args) { a.Database.Password = pulumi.String("another") },
		"admin":    func(a *identity.Args) { a.Admin.Password = pulumi.String("another") },
		"user":     func(a *identity.Args) { a.Admin.Username = "another" },
	} {
		assert.NotEqual(t, before.Annotations, template(change).Annotations, what)
	}
	text := fmt.Sprint(before)
	assert.NotContains(t, text, databasePassword)
}

func TestAdministratorsPasswordStaysWhenOthersAreMadeAnew(t *testing.T) {
	password := func(generation int) string {
		args := arguments()
		o := process.Render(t, verify.NewCA(t, "platform"), func(ctx *pulumi.Context) error {
			var err error
			if args.Common, err = process.Common(ctx, workload.Single); err != nil {
				return err
			}
			args.PasswordGeneration = generation
			_, err = identity.New(ctx, "identity", args)
			return err
		})
		return o.Data("Secret", "iris-admin")["password"]
	}
	assert.Equal(t, password(1), password(2), "Keycloak takes it at its first start only")
}

func TestHeapFitsIntoTheMemory(t *testing.T) {
	for limit, want := range map[string]string{
		"2Gi": "-Xms1024m -Xmx1433m", "1Gi": "-Xms512m -Xmx716m", "750Mi": "-Xms375m -Xmx450m",
	} {
		o := process.Render(t, verify.NewCA(t, "platform"), limited(limit))
		assert.Equal(t, want, env(t, o)["JAVA_OPTS_KC_HEAP"], limit)
	}
	err := pulumi.RunErr(limited("700Mi"), pulumi.WithMocks("controlplane", "test", &nothing{t}))
	assert.ErrorContains(t, err, "the memory of class identityProvider is limited to 700Mi in Classes: allowed are 750Mi and more")
}

// limited is a program with another limit of memory.
func limited(limit string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		args := arguments()
		args.Common.Classes = workload.Classes{workload.IdentityProvider: corev1.ResourceRequirements{
			Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(limit)},
		}}
		if err := args.Check(); err != nil {
			return err
		}
		common, err := process.Common(ctx, workload.Single)
		if err != nil {
			return err
		}
		common.Classes = args.Common.Classes
		args.Common = common
		_, err = identity.New(ctx, "identity", args)
		return err
	}
}

func TestTheControlPlaneLearnsTrustedIssuers(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	for _, name := range []string{"rover-server-env", "api-env"} {
		assert.Equal(t, "controlplane-system", o.Find("ConfigMap", name).GetNamespace())
		assert.Equal(t, map[string]string{
			"LISTENERS_EXTERNAL_JWT_TRUSTEDISSUERS": "https://iris.example.com/auth/realms/rover,https://other.example.com/auth/realms/default",
		}, o.Data("ConfigMap", name))
	}
}

func TestPrometheusVerifiesTheServers(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	monitor := o.Find("ServiceMonitor", "iris").Object
	endpoint := nested(t, monitor, "spec", "endpoints").([]any)[0].(map[string]any)
	assert.Equal(t, "https", endpoint["scheme"])
	assert.Equal(t, "/auth/metrics", endpoint["path"])
	tls := endpoint["tlsConfig"].(map[string]any)
	assert.Contains(t, nested(t, o.Find("Certificate", "iris-tls").Object, "spec", "dnsNames"), tls["serverName"])
	assert.NotContains(t, tls, "insecureSkipVerify")
	// The monitor finds one Service, with the port that it asks for.
	matching := 0
	for _, object := range o.Of("Service") {
		s := process.Decode[corev1.Service](t, o, "Service", object.GetName())
		for key, value := range nested(t, monitor, "spec", "selector", "matchLabels").(map[string]any) {
			if s.Labels[key] == value {
				matching++
				assert.Equal(t, endpoint["port"], s.Spec.Ports[0].Name)
			}
		}
	}
	assert.Equal(t, 1, matching)
	assert.Contains(t, o.Names("NetworkPolicy"), "allow-iris-metrics-ingress")
	assert.NotContains(t, rendered(t, workload.Single, func(a *identity.Args) { a.ServiceMonitor = false }).Names("NetworkPolicy"),
		"allow-iris-metrics-ingress", "nobody is to read metrics")
}

func TestWhatCannotWork(t *testing.T) {
	for message, change := range map[string]func(*identity.Args){
		"Hostname is missing":                                                      func(a *identity.Args) { a.Hostname = "" },
		"Image is missing":                                                         func(a *identity.Args) { a.Image = "" },
		"Ingress.Issuer is missing":                                                func(a *identity.Args) { a.Ingress.Issuer = "" },
		"Database.Port is 0: allowed are 1 to 65535":                               func(a *identity.Args) { a.Database.Port = 0 },
		"Admin.Hostname is \"iris.example.com\", the public one":                   func(a *identity.Args) { a.Admin.Hostname = publicHost },
		"Replicas is 2: with availability zonal allowed are 3 and more":            func(a *identity.Args) { a.Replicas = 2 },
		"fewer servers need fewer, and a greater max_connections":                  func(a *identity.Args) { a.Database.Connections = 19 },
		"the database allows 19 connections (Database.Connections): needed are 20": func(a *identity.Args) { a.Database.Connections = 19 },
		"Autoscaling.MaxReplicas is 3: allowed is more than Replicas":              func(a *identity.Args) { a.Autoscaling = &identity.Autoscaling{MaxReplicas: 3, TargetCPUPercent: 70} },
		"Autoscaling.TargetCPUPercent is 0: allowed are 1 and more":                func(a *identity.Args) { a.Autoscaling = &identity.Autoscaling{MaxReplicas: 4} },
	} {
		args := arguments()
		change(&args)
		err := pulumi.RunErr(program(workload.Zonal, args), pulumi.WithMocks("controlplane", "test", &nothing{t}))
		assert.ErrorContains(t, err, message)
	}
}

func TestTwoServersAreNone(t *testing.T) {
	args := arguments()
	args.Replicas = 2
	err := pulumi.RunErr(program(workload.Single, args), pulumi.WithMocks("controlplane", "test", &nothing{t}))
	assert.ErrorContains(t, err, "Replicas is 2: allowed are 1, or 3 and more", "the one that is left would not be ready")
}

// nothing are mocks that accept providers only.
type nothing struct{ t *testing.T }

func (n *nothing) NewResource(args pulumi.MockResourceArgs) (string, property.PropertyMap, error) {
	assert.True(n.t, strings.HasPrefix(args.TypeToken, "pulumi:providers:"), "%s is registered", args.TypeToken)
	return args.Name, args.Inputs, nil
}

func (*nothing) Call(pulumi.MockCallArgs) (property.PropertyMap, error) { return nil, nil }

// Raising three servers to five, Kubernetes first makes five of the old ones, and then adds a new one: all that the
// database allows must not be in the hands of servers that have nothing to do.
func TestIdleServersLeaveConnectionsToOthers(t *testing.T) {
	pool := env(t, rendered(t, workload.Zonal, func(a *identity.Args) { a.Database.Connections = 60 }))
	assert.Equal(t, "15", pool["KC_DB_POOL_MAX_SIZE"], "a share of four")
	assert.Equal(t, "5", pool["KC_DB_POOL_MIN_SIZE"])
	assert.Equal(t, "5", pool["KC_DB_POOL_INITIAL_SIZE"])
}
