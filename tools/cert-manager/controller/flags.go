package main

import (
	"errors"
	"time"

	logsapi "k8s.io/component-base/logs/api/v1"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	"github.com/cert-manager/cert-manager/internal/apis/config/shared"
	"github.com/cert-manager/cert-manager/internal/pem"
	"github.com/cert-manager/cert-manager/pkg/apis/certmanager"
	"github.com/cert-manager/cert-manager/pkg/util"

	"github.com/cert-manager/cert-manager/controlplane/command"
)

// defaults returns the configuration of a controller without flags: upstream's defaults, which are written here once
// more because the package that sets them links every issuer in, also those that these programs leave out.
func defaults() *config.ControllerConfiguration {
	size := pem.DefaultSizeLimits()
	c := &config.ControllerConfiguration{
		KubernetesAPIQPS:                20,
		KubernetesAPIBurst:              50,
		ClusterResourceNamespace:        "kube-system",
		Controllers:                     []string{"*"},
		ClusterIssuerAmbientCredentials: true,
		CopiedAnnotationPrefixes:        []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
		NumberOfConcurrentWorkers:       5,
		MaxConcurrentChallenges:         60,
		MetricsListenAddress:            "0.0.0.0:9402",
		HealthzListenAddress:            "0.0.0.0:9403",
		IngressShimConfig: config.IngressShimConfig{
			DefaultIssuerKind:                 "Issuer",
			DefaultIssuerGroup:                certmanager.GroupName,
			DefaultAutoCertificateAnnotations: []string{"kubernetes.io/tls-acme"},
		},
		ACMEHTTP01Config: config.ACMEHTTP01Config{
			SolverImage:                 "quay.io/jetstack/cert-manager-acmesolver:" + util.AppVersion,
			SolverResourceRequestCPU:    "10m",
			SolverResourceRequestMemory: "64Mi",
			SolverResourceLimitsCPU:     "100m",
			SolverResourceLimitsMemory:  "64Mi",
			SolverRunAsNonRoot:          true,
		},
		ACMEDNS01Config:     config.ACMEDNS01Config{CheckRetryPeriod: 10 * time.Second},
		PEMSizeLimitsConfig: config.PEMSizeLimitsConfig(size),
		LeaderElectionConfig: config.LeaderElectionConfig{
			LeaderElectionConfig: shared.LeaderElectionConfig{
				Enabled:       true,
				Namespace:     "kube-system",
				LeaseDuration: 60 * time.Second,
				RenewDeadline: 40 * time.Second,
				RetryPeriod:   15 * time.Second,
			},
			HealthzTimeout: 20 * time.Second,
		},
		CertificateRequestMinimumBackoffDuration: time.Hour,
		CertificateRequestMaximumBackoffDuration: 32 * time.Hour,
	}
	logsapi.SetRecommendedLoggingConfiguration(&c.Logging)
	return c
}

// newCommand binds the flags to the configuration.
func newCommand(c *config.ControllerConfiguration) *command.Command {
	cmd := command.New("controller")
	cmd.AddCommon(&c.Logging, &c.FeatureGates, &c.KubeConfig)
	cmd.AddLeaderElection(&c.LeaderElectionConfig.LeaderElectionConfig)
	cmd.Load = func(string) error { return errors.New("not supported here: give flags") }
	addServerFlags(cmd, c)
	addIssuerFlags(cmd, c)
	return cmd
}

func addServerFlags(cmd *command.Command, c *config.ControllerConfiguration) {
	fs := cmd.Flags
	fs.StringVar(&c.MetricsListenAddress, "metrics-listen-address", c.MetricsListenAddress, "HOST:PORT of metrics; 0: none")
	fs.StringVar(&c.HealthzListenAddress, "healthz-listen-address", c.HealthzListenAddress, "HOST:PORT of /livez")
	fs.DurationVar(&c.LeaderElectionConfig.HealthzTimeout, "leader-election-healthz-timeout", c.LeaderElectionConfig.HealthzTimeout, "how long a leader that cannot renew its lease is healthy")
	fs.StringVar(&c.Namespace, "namespace", c.Namespace, "the only namespace to look at (default: all)")
	fs.StringSliceVar(&c.Controllers, "controllers", c.Controllers, "what to run: *, NAME, or -NAME for all but that")
	fs.Float32Var(&c.KubernetesAPIQPS, "kube-api-qps", c.KubernetesAPIQPS, "requests a second to an API server without fair queuing")
	fs.IntVar(&c.KubernetesAPIBurst, "kube-api-burst", c.KubernetesAPIBurst, "requests at once to such a server")
	fs.IntVar(&c.NumberOfConcurrentWorkers, "concurrent-workers", c.NumberOfConcurrentWorkers, "workers of each controller")
	fs.IntVar(&c.MaxConcurrentChallenges, "max-concurrent-challenges", c.MaxConcurrentChallenges, "ACME challenges at once")
	fs.BoolVar(&c.GatewayAPIConfig.Enabled, "enable-gateway-api", c.GatewayAPIConfig.Enabled, "watch Gateways; needs their CRDs")
	fs.BoolVar(&c.EnableCertificateOwnerRef, "enable-certificate-owner-ref", c.EnableCertificateOwnerRef, "Secrets go with their Certificates")
	fs.StringSliceVar(&c.CopiedAnnotationPrefixes, "copied-annotation-prefixes", c.CopiedAnnotationPrefixes, "annotations that requests take over; -PREFIX: not these")
}

func addIssuerFlags(cmd *command.Command, c *config.ControllerConfiguration) {
	fs := cmd.Flags
	fs.StringVar(&c.ClusterResourceNamespace, "cluster-resource-namespace", c.ClusterResourceNamespace, "namespace of what ClusterIssuers refer to")
	fs.BoolVar(&c.ClusterIssuerAmbientCredentials, "cluster-issuer-ambient-credentials", c.ClusterIssuerAmbientCredentials, "ClusterIssuers may use the machine's credentials")
	fs.BoolVar(&c.IssuerAmbientCredentials, "issuer-ambient-credentials", c.IssuerAmbientCredentials, "Issuers may use the machine's credentials")

	shim := &c.IngressShimConfig
	fs.StringVar(&shim.DefaultIssuerName, "default-issuer-name", shim.DefaultIssuerName, "issuer of Ingresses that name none")
	fs.StringVar(&shim.DefaultIssuerKind, "default-issuer-kind", shim.DefaultIssuerKind, "kind of that issuer")
	fs.StringVar(&shim.DefaultIssuerGroup, "default-issuer-group", shim.DefaultIssuerGroup, "API group of that issuer")
	fs.StringSliceVar(&shim.DefaultAutoCertificateAnnotations, "auto-certificate-annotations", shim.DefaultAutoCertificateAnnotations, "annotations by which an Ingress asks for that issuer")

	http := &c.ACMEHTTP01Config
	fs.StringVar(&http.SolverImage, "acme-http01-solver-image", http.SolverImage, "image of acmesolver")
	fs.StringVar(&http.SolverResourceRequestCPU, "acme-http01-solver-resource-request-cpu", http.SolverResourceRequestCPU, "for acmesolver's pod")
	fs.StringVar(&http.SolverResourceRequestMemory, "acme-http01-solver-resource-request-memory", http.SolverResourceRequestMemory, "for acmesolver's pod")
	fs.StringVar(&http.SolverResourceLimitsCPU, "acme-http01-solver-resource-limits-cpu", http.SolverResourceLimitsCPU, "for acmesolver's pod")
	fs.StringVar(&http.SolverResourceLimitsMemory, "acme-http01-solver-resource-limits-memory", http.SolverResourceLimitsMemory, "for acmesolver's pod")
	fs.BoolVar(&http.SolverRunAsNonRoot, "acme-http01-solver-run-as-non-root", http.SolverRunAsNonRoot, "for acmesolver's pod")
	fs.StringVar(&http.SolverRuntimeClassName, "acme-http01-solver-runtime-class-name", http.SolverRuntimeClassName, "for acmesolver's pod")
	fs.StringSliceVar(&http.SolverNameservers, "acme-http01-solver-nameservers", http.SolverNameservers, "HOST:PORT,... for the check before an HTTP-01 challenge")
	fs.StringToStringVar(&http.SolverExtraLabels, "acme-http01-solver-extra-labels", http.SolverExtraLabels, "labels for what a challenge creates")

	dns := &c.ACMEDNS01Config
	fs.StringSliceVar(&dns.RecursiveNameservers, "dns01-recursive-nameservers", dns.RecursiveNameservers, "HOST:PORT,... for the check before a DNS-01 challenge")
	fs.BoolVar(&dns.RecursiveNameserversOnly, "dns01-recursive-nameservers-only", dns.RecursiveNameserversOnly, "do not ask the authoritative ones")
	fs.DurationVar(&dns.CheckRetryPeriod, "dns01-check-retry-period", dns.CheckRetryPeriod, "time between checks of a challenge")
}
