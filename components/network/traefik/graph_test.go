package traefik_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	property "github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// rendered is the component with changed arguments.
func rendered(t *testing.T, availability workload.Availability, change func(*traefik.Args)) *process.Objects {
	t.Helper()
	args := arguments()
	if change != nil {
		change(&args)
	}
	return process.Render(t, verify.NewCA(t, "platform"), program(availability, args))
}

// options are the server's arguments.
func options(t *testing.T, o *process.Objects) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, arg := range process.Decode[appsv1.Deployment](t, o, "Deployment", "traefik").Spec.Template.Spec.Containers[0].Args {
		key, value, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		assert.NotContains(t, all, key, "given twice")
		all[key] = value
	}
	return all
}

func TestSingleIsOneServer(t *testing.T) {
	o := rendered(t, workload.Single, func(a *traefik.Args) { a.Replicas = 1 })
	d := process.Decode[appsv1.Deployment](t, o, "Deployment", "traefik")
	assert.EqualValues(t, 1, *d.Spec.Replicas)
	assert.Empty(t, d.Spec.Template.Spec.TopologySpreadConstraints)
	assert.Empty(t, o.Names("PodDisruptionBudget"), "one would block every drain")
	assert.Empty(t, o.Names("HorizontalPodAutoscaler"))
}

func TestZonalSpreadsServers(t *testing.T) {
	o := rendered(t, workload.Zonal, nil)
	d := process.Decode[appsv1.Deployment](t, o, "Deployment", "traefik")
	assert.EqualValues(t, 3, *d.Spec.Replicas)
	spread := d.Spec.Template.Spec.TopologySpreadConstraints
	require.NotEmpty(t, spread)
	assert.Equal(t, corev1.LabelTopologyZone, spread[0].TopologyKey)
	assert.Equal(t, corev1.DoNotSchedule, spread[0].WhenUnsatisfiable)
	budget := process.Decode[policyv1.PodDisruptionBudget](t, o, "PodDisruptionBudget", "traefik")
	assert.Equal(t, 1, budget.Spec.MaxUnavailable.IntValue())
	assert.Equal(t, d.Spec.Selector, budget.Spec.Selector)
	assert.Equal(t, 1, d.Spec.Strategy.RollingUpdate.MaxSurge.IntValue())
	assert.Equal(t, 0, d.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue())
}

func TestAutoscaling(t *testing.T) {
	o := rendered(t, workload.Zonal, func(a *traefik.Args) {
		a.Autoscaling = &workload.Autoscaling{MaxReplicas: 6, TargetCPUPercent: 75}
	})
	h := process.Decode[autoscalingv2.HorizontalPodAutoscaler](t, o, "HorizontalPodAutoscaler", "traefik")
	assert.EqualValues(t, 3, *h.Spec.MinReplicas)
	assert.EqualValues(t, 6, h.Spec.MaxReplicas)
	assert.EqualValues(t, 75, *h.Spec.Metrics[0].Resource.Target.AverageUtilization)
	assert.Equal(t, "Deployment/traefik", h.Spec.ScaleTargetRef.Kind+"/"+h.Spec.ScaleTargetRef.Name)
	assert.Equal(t, []string{"spec.replicas"}, o.Find("Deployment", "traefik").IgnoreChanges, "an update leaves the number alone")
	assert.Equal(t, []string{"traefik"}, o.Names("PodDisruptionBudget"))
}

func TestPod(t *testing.T) {
	pod := process.Decode[appsv1.Deployment](t, rendered(t, workload.Zonal, nil), "Deployment", "traefik").Spec.Template.Spec
	require.Len(t, pod.Containers, 1)
	c := pod.Containers[0]
	assert.Equal(t, "2Gi", c.Resources.Limits.Memory().String())
	assert.Equal(t, "1843MiB", c.Env[0].Value, "nine tenths")
	assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
	for _, p := range c.Ports {
		assert.Greater(t, p.ContainerPort, int32(1024))
	}
	for _, volume := range pod.Volumes {
		assert.Nil(t, volume.HostPath)
	}
}

// What a server takes to end fits into what it is given, and load balancers have the time that they need.
func TestTimes(t *testing.T) {
	for kind, least := range map[corev1.ServiceType]int64{
		corev1.ServiceTypeClusterIP: 10, corev1.ServiceTypeNodePort: 10, corev1.ServiceTypeLoadBalancer: 30,
	} {
		o := rendered(t, workload.Zonal, func(a *traefik.Args) { a.Service.Type = kind })
		pod := process.Decode[appsv1.Deployment](t, o, "Deployment", "traefik").Spec.Template.Spec
		ending := pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds
		assert.Equal(t, least, ending, kind)
		for _, option := range []string{"requestAcceptGraceTimeout", "graceTimeOut"} {
			span, err := time.ParseDuration(options(t, o)["entryPoints.https.transport.lifeCycle."+option])
			require.NoError(t, err)
			ending += int64(span.Seconds())
		}
		assert.Greater(t, *pod.TerminationGracePeriodSeconds, ending, kind)
	}
}

// A load balancer of AWS that leads to pods takes minutes to begin with one and to end with another: updates wait for
// both.
func TestTimesOfBalancersThatLeadToPods(t *testing.T) {
	const gate = "elbv2.k8s.aws/pod-readiness-gate-inject"
	render := func(annotations map[string]string) *process.Objects {
		return rendered(t, workload.Zonal, func(a *traefik.Args) {
			a.Service.Type, a.Service.Annotations = corev1.ServiceTypeLoadBalancer, annotations
		})
	}
	o := render(traefik.NLBAnnotations())
	assert.Equal(t, "enabled", o.Find("Namespace", traefik.Namespace).GetLabels()[gate])
	pod := process.Decode[appsv1.Deployment](t, o, "Deployment", "traefik").Spec.Template.Spec
	assert.GreaterOrEqual(t, pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds, int64(120))
	assert.Greater(t, *pod.TerminationGracePeriodSeconds, pod.Containers[0].Lifecycle.PreStop.Sleep.Seconds+35)
	assert.Equal(t, "30m", o.Find("Deployment", "traefik").UpdateTime, "more than the engine's ten minutes")

	minReady := func(o *process.Objects) int32 {
		return process.Decode[appsv1.Deployment](t, o, "Deployment", "traefik").Spec.MinReadySeconds
	}
	assert.EqualValues(t, 10, minReady(o), "after the gate")
	o = rendered(t, workload.Zonal, func(a *traefik.Args) {
		a.Service.Type, a.Service.Annotations = corev1.ServiceTypeLoadBalancer, traefik.NLBAnnotations()
		a.Service.LoadBalancerClass = "eks.amazonaws.com/nlb"
	})
	assert.EqualValues(t, 150, minReady(o), "EKS Auto Mode knows no gate")

	o = render(nil)
	assert.EqualValues(t, 10, minReady(o))
	assert.NotContains(t, o.Find("Namespace", traefik.Namespace).GetLabels(), gate)
	assert.Empty(t, o.Find("Deployment", "traefik").UpdateTime)
}

func TestNothingIsExposedOrSent(t *testing.T) {
	all := options(t, rendered(t, workload.Single, nil))
	for option := range all {
		assert.NotRegexp(t, `(?i)^(api|hub|experimental|tracing|providers\.(rest|http|kubernetescrd))\b`, option)
		assert.NotContains(t, strings.ToLower(option), "insecure")
	}
	assert.Equal(t, "false", all["global.checkNewVersion"])
	assert.Equal(t, "false", all["global.sendAnonymousUsage"])
}

func TestHSTS(t *testing.T) {
	const key = "entryPoints.https.http.middlewares"
	settings := func(o *process.Objects) string { return o.Data("ConfigMap", "traefik-dynamic")["traefik.yaml"] }
	o := rendered(t, workload.Single, func(a *traefik.Args) {
		a.HSTS = traefik.HSTS{MaxAge: 2 * time.Hour, IncludeSubdomains: true, Preload: true}
	})
	assert.Equal(t, "hsts@file", options(t, o)[key])
	for _, line := range []string{"stsSeconds: 7200", "stsIncludeSubdomains: true", "stsPreload: true"} {
		assert.Contains(t, settings(o), line)
	}
	o = rendered(t, workload.Single, func(a *traefik.Args) { a.HSTS = traefik.HSTS{} })
	assert.NotContains(t, options(t, o), key)
	assert.NotContains(t, settings(o), "stsSeconds")
}

func TestService(t *testing.T) {
	service := func(change func(*traefik.Service)) corev1.Service {
		o := rendered(t, workload.Single, func(a *traefik.Args) { change(&a.Service) })
		return process.Decode[corev1.Service](t, o, "Service", "traefik")
	}
	s := service(func(s *traefik.Service) {
		s.Type, s.Annotations = corev1.ServiceTypeLoadBalancer, traefik.NLBAnnotations()
		s.LoadBalancerClass, s.SourceRanges = "example.com/balancer", []string{"203.0.113.0/24"}
	})
	assert.Equal(t, "ip", s.Annotations["service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"])
	assert.Equal(t, "example.com/balancer", *s.Spec.LoadBalancerClass)
	assert.Equal(t, []string{"203.0.113.0/24"}, s.Spec.LoadBalancerSourceRanges)
	assert.Equal(t, corev1.ServiceExternalTrafficPolicyLocal, s.Spec.ExternalTrafficPolicy)
	assert.Equal(t, []string{"http 80", "https 443"}, portsOf(s))

	s = service(func(s *traefik.Service) {
		s.Type, s.HTTPNodePort, s.HTTPSNodePort = corev1.ServiceTypeNodePort, 30080, 30443
	})
	assert.Equal(t, corev1.ServiceExternalTrafficPolicyLocal, s.Spec.ExternalTrafficPolicy)
	assert.EqualValues(t, 30443, s.Spec.Ports[1].NodePort)

	s = service(func(s *traefik.Service) { s.HTTPPort, s.HTTPSPort = 8000, 4443 })
	assert.Empty(t, s.Spec.ExternalTrafficPolicy)
	assert.Equal(t, []string{"http 8000", "https 4443"}, portsOf(s))
	o := rendered(t, workload.Single, func(a *traefik.Args) { a.Service.HTTPSPort = 4443 })
	assert.Equal(t, ":4443", options(t, o)["entryPoints.http.http.redirections.entryPoint.to"], "where clients are redirected to")
}

func portsOf(s corev1.Service) []string {
	var all []string
	for _, p := range s.Spec.Ports {
		all = append(all, fmt.Sprintf("%s %d", p.Name, p.Port))
	}
	return all
}

func TestClass(t *testing.T) {
	class := process.Decode[networkingv1.IngressClass](t, rendered(t, workload.Single, nil), "IngressClass", "traefik")
	assert.Equal(t, "true", class.Annotations[networkingv1.AnnotationIsDefaultIngressClass])
	o := rendered(t, workload.Single, func(a *traefik.Args) { a.ClassName, a.DefaultClass = "public", false })
	class = process.Decode[networkingv1.IngressClass](t, o, "IngressClass", "public")
	assert.Empty(t, class.Annotations)
	assert.Equal(t, class.Spec.Controller, options(t, o)["providers.kubernetesIngressNGINX.controllerClass"])
	assert.Equal(t, "false", options(t, o)["providers.kubernetesIngressNGINX.watchIngressWithoutClass"])
}

func TestDefaultCertificate(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	assert.Equal(t, []string{"traefik-tls", "traefik-public-tls"}, o.Names("Certificate"))
	spec := o.Find("Certificate", "traefik-public-tls").Object["spec"].(map[string]any)
	assert.Equal(t, []any{"*.example.com"}, spec["dnsNames"])
	assert.Equal(t, "letsencrypt", spec["issuerRef"].(map[string]any)["name"])
	o = rendered(t, workload.Single, func(a *traefik.Args) { a.Certificate = traefik.Certificate{} })
	assert.Equal(t, []string{"traefik-tls"}, o.Names("Certificate"))
	assert.NotContains(t, o.Data("ConfigMap", "traefik-dynamic")["traefik.yaml"], "public.crt")
}

// Traefik changes nothing but the status of what it serves, and reads nothing outside of the namespaces that it serves.
func TestPermissions(t *testing.T) {
	describe := func(rules []rbacv1.PolicyRule) []string {
		var all []string
		for _, r := range rules {
			all = append(all, strings.Join(r.APIGroups, ",")+" "+strings.Join(r.Resources, ",")+" "+strings.Join(r.Verbs, ","))
		}
		slices.Sort(all)
		return all
	}
	o := rendered(t, workload.Single, nil)
	ingresses := []string{
		" services,secrets,configmaps list,watch", "discovery.k8s.io endpointslices list,watch",
		"networking.k8s.io ingresses list,watch", "networking.k8s.io ingresses/status update",
	}
	classes := "networking.k8s.io ingressclasses list,watch"
	cluster := func(o *process.Objects) []string {
		return describe(process.Decode[rbacv1.ClusterRole](t, o, "ClusterRole", "traefik").Rules)
	}
	assert.ElementsMatch(t, append(slices.Clone(ingresses), classes), cluster(o))
	assert.Empty(t, o.Names("Role"))

	o = rendered(t, workload.Single, func(a *traefik.Args) { a.Namespaces = []string{"shop"} })
	assert.ElementsMatch(t, []string{classes, " namespaces list"}, cluster(o))
	var namespaces []string
	for _, role := range o.Of("Role") {
		namespaces = append(namespaces, role.GetNamespace())
	}
	assert.ElementsMatch(t, []string{"ingress", "shop"}, namespaces, "in whatever order they were registered")
	assert.ElementsMatch(t, ingresses, describe(process.Decode[rbacv1.Role](t, o, "Role", "traefik").Rules))
	assert.Equal(t, "kubernetes.io/metadata.name in (ingress,shop)",
		options(t, o)["providers.kubernetesIngressNGINX.watchNamespaceSelector"])
}

func TestGateway(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	assert.Empty(t, o.Names("Gateway"))
	assert.NotContains(t, options(t, o), "providers.kubernetesGateway")
	o = rendered(t, workload.Single, func(a *traefik.Args) { a.GatewayAPI, a.ClassName = true, "public" })
	assert.Equal(t, []string{"public"}, o.Names("GatewayClass"))
	assert.Equal(t, []string{"traefik"}, o.Names("Gateway"))
	assert.Equal(t, "true", options(t, o)["providers.kubernetesGateway"])
}

func TestMonitoring(t *testing.T) {
	o := rendered(t, workload.Single, nil)
	assert.Equal(t, []string{"traefik"}, o.Names("ServiceMonitor"))
	monitored := o.Find("ServiceMonitor", "traefik").Object["spec"].(map[string]any)
	var matching []string
	for _, service := range o.Of("Service") {
		selector := monitored["selector"].(map[string]any)["matchLabels"].(map[string]any)
		for key, value := range selector {
			if service.GetLabels()[key] == value {
				matching = append(matching, service.GetName())
			}
		}
	}
	assert.Equal(t, []string{"traefik-management"}, matching, "only the Service that has the port")
	o = rendered(t, workload.Single, func(a *traefik.Args) { a.ServiceMonitor = false })
	assert.Empty(t, o.Names("ServiceMonitor"))
}

func TestPolicies(t *testing.T) {
	always := []string{
		"default-deny", "allow-dns", "allow-ingress-public-ingress", "allow-ingress-backends-egress",
		"allow-ingress-controlplane-egress", "allow-ingress-api-server-egress", "allow-ingress-metrics-ingress",
	}
	assert.ElementsMatch(t, always, rendered(t, workload.Single, nil).Names("NetworkPolicy"))
	o := rendered(t, workload.Single, func(a *traefik.Args) { a.Certificate.HTTP01 = new(traefik.Servers()) })
	assert.ElementsMatch(t, append(always, "allow-ingress-http01-ingress", "allow-ingress-http01-egress"), o.Names("NetworkPolicy"))
}

func TestEveryResourceBelongsToTheComponent(t *testing.T) {
	for _, object := range rendered(t, workload.Zonal, nil).All {
		if object.Parent != "" { // what cert-manager and trust-manager make has none
			assert.Contains(t, object.Parent, traefik.Type+"::ingress", object.GetName())
		}
	}
}

func TestBadArguments(t *testing.T) {
	for _, bad := range []struct {
		change func(*traefik.Args)
		want   string
	}{
		{func(a *traefik.Args) { a.Image = "" }, "Image is missing"},
		{func(a *traefik.Args) { a.ClassName = "" }, "ClassName is missing"},
		{func(a *traefik.Args) { a.Certificate.Issuer = "" }, "Certificate.Issuer is missing"},
		{func(a *traefik.Args) { a.ProxyProtocol = true }, "ProxyProtocol needs TrustedProxies: whose word is taken"},
		{func(a *traefik.Args) { a.Replicas = 1 }, "Replicas is 1: with availability zonal allowed are 2 and more"},
		{func(a *traefik.Args) { a.Autoscaling = &workload.Autoscaling{MaxReplicas: 3, TargetCPUPercent: 75} },
			"Autoscaling.MaxReplicas is 3: allowed is more than Replicas, which is 3"},
		{func(a *traefik.Args) { a.Service.Type = "ExternalName" },
			`Service.Type is "ExternalName": allowed are LoadBalancer, NodePort and ClusterIP`},
		{func(a *traefik.Args) { a.Service.HTTPPort = 0 }, "Service.HTTPPort is 0: allowed are 1 to 65535"},
		{func(a *traefik.Args) { a.Service.HTTPPort = 443 },
			"Service.HTTPPort and Service.HTTPSPort are both 443: allowed are different ones"},
	} {
		args := arguments()
		bad.change(&args)
		err := pulumi.RunErr(program(workload.Zonal, args), pulumi.WithMocks("controlplane", "test", &given{}))
		assert.ErrorContains(t, err, "ingress: "+bad.want)
	}
}

// given are mocks that give the Service a status.
type given struct{ status property.PropertyMap }

func (g *given) NewResource(args pulumi.MockResourceArgs) (string, property.PropertyMap, error) {
	outputs := args.Inputs.Copy()
	if args.TypeToken == "kubernetes:core/v1:Service" {
		outputs["status"] = property.NewProperty(g.status)
	}
	return args.Name, outputs, nil
}

func (g *given) Call(args pulumi.MockCallArgs) (property.PropertyMap, error) {
	return nil, fmt.Errorf("unexpected call of %s", args.Token)
}

func TestAddress(t *testing.T) {
	for kind, want := range map[corev1.ServiceType]string{
		corev1.ServiceTypeLoadBalancer: "lb.example.com", corev1.ServiceTypeNodePort: "",
	} {
		got := make(chan string, 1)
		status := property.NewPropertyMapFromMap(map[string]any{"loadBalancer": map[string]any{
			"ingress": []any{map[string]any{"ip": "192.0.2.7"}, map[string]any{"ip": "192.0.2.8", "hostname": "lb.example.com"}},
		}})
		require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
			args := arguments()
			args.Service.Type = kind
			common, err := process.Common(ctx, workload.Zonal)
			if err != nil {
				return err
			}
			args.Common = common
			i, err := traefik.New(ctx, "ingress", args)
			if err == nil {
				i.Address.ApplyT(func(address string) string { got <- address; return address })
			}
			return err
		}, pulumi.WithMocks("controlplane", "test", &given{status})))
		assert.Equal(t, want, <-got, kind)
	}
}
