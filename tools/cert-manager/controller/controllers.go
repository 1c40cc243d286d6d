package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	features "github.com/cert-manager/cert-manager/internal/controller/feature"
	"github.com/cert-manager/cert-manager/internal/pem"
	"github.com/cert-manager/cert-manager/pkg/controller"
	gateways "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	dnsutil "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util/feature"

	"github.com/cert-manager/cert-manager/controlplane/command"
)

// runControllers runs the enabled controllers until ctx ends.
func runControllers(ctx context.Context, factory *controller.ContextFactory, base *controller.Context, c *config.ControllerConfiguration) error {
	names, group := enabled(c), new(errgroup.Group)
	for name, construct := range controller.Known() {
		if !names.Has(name) {
			continue
		}
		instance, err := construct(factory)
		if err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
		group.Go(func() error {
			if err := instance.Run(c.NumberOfConcurrentWorkers, ctx); err != nil {
				return fmt.Errorf("controller %s: %w", name, err)
			}
			return nil
		})
	}
	logf.FromContext(ctx).Info("running controllers", "names", sets.List(names))
	// Only now have all of them said what they want to be told of.
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	base.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if c.GatewayAPIConfig.Enabled {
		base.GWShared.Start(ctx.Done())
	}
	return group.Wait()
}

// enabled is the set of controllers that --controllers, feature gates and --namespace leave.
func enabled(c *config.ControllerConfiguration) sets.Set[string] {
	on, off := sets.New[string](), sets.New[string]()
	for _, name := range c.Controllers {
		if without, excluded := strings.CutPrefix(name, "-"); excluded {
			off.Insert(without)
		} else if name != "*" {
			on.Insert(name)
		} else {
			on.Insert(usual()...)
		}
	}
	if on.Len() == 0 { // nothing but exceptions
		on.Insert(usual()...)
	}
	if feature.DefaultFeatureGate.Enabled(features.ExperimentalCertificateSigningRequestControllers) {
		on.Insert(signingRequestControllers...)
	}
	if feature.DefaultFeatureGate.Enabled(features.ExperimentalGatewayAPISupport) && c.GatewayAPIConfig.Enabled {
		on.Insert(gateways.ControllerName)
	}
	if c.Namespace != "" {
		off.Insert(clusterControllers...)
	}
	return on.Difference(off)
}

// contextOptions is the configuration in the form that controllers take.
func contextOptions(c *config.ControllerConfiguration) (controller.ContextOptions, error) {
	size := c.PEMSizeLimitsConfig
	pem.SetGlobalSizeLimits(pem.NewSizeLimitsFromConfig(size.MaxCertificateSize, size.MaxPrivateKeySize, size.MaxChainLength, size.MaxBundleSize))
	acme, err := acmeOptions(c)
	if err != nil {
		return controller.ContextOptions{}, err
	}
	shim := c.IngressShimConfig
	return controller.ContextOptions{
		Kubeconfig:         command.Kubeconfig(c.KubeConfig),
		KubernetesAPIQPS:   c.KubernetesAPIQPS,
		KubernetesAPIBurst: c.KubernetesAPIBurst,
		Namespace:          c.Namespace,
		ACMEOptions:        acme,
		IssuerOptions: controller.IssuerOptions{
			ClusterResourceNamespace:        c.ClusterResourceNamespace,
			ClusterIssuerAmbientCredentials: c.ClusterIssuerAmbientCredentials,
			IssuerAmbientCredentials:        c.IssuerAmbientCredentials,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerName:                 shim.DefaultIssuerName,
			DefaultIssuerKind:                 shim.DefaultIssuerKind,
			DefaultIssuerGroup:                shim.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: shim.DefaultAutoCertificateAnnotations,
			ExtraCertificateAnnotations:       shim.ExtraCertificateAnnotations,
			GatewayAPIExtraProtocols:          sets.New(c.GatewayAPIConfig.ExtraProtocols...),
		},
		CertificateOptions: controller.CertificateOptions{
			EnableOwnerRef:                           c.EnableCertificateOwnerRef,
			CopiedAnnotationPrefixes:                 c.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: c.CertificateRequestMinimumBackoffDuration,
			CertificateRequestMaximumBackoffDuration: c.CertificateRequestMaximumBackoffDuration,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: c.MaxConcurrentChallenges},
		ConfigOptions: controller.ConfigOptions{
			EnableGatewayAPI:            c.GatewayAPIConfig.Enabled,
			EnableGatewayAPIListenerSet: c.GatewayAPIConfig.EnableListenerSet,
		},
	}, nil
}

func acmeOptions(c *config.ControllerConfiguration) (controller.ACMEOptions, error) {
	http, dns := c.ACMEHTTP01Config, c.ACMEDNS01Config
	var failed []error
	quantity := func(flag, value string) resource.Quantity {
		q, err := resource.ParseQuantity(value)
		if err != nil {
			failed = append(failed, fmt.Errorf("--acme-http01-solver-resource-%s=%s: %w", flag, value, err))
		}
		return q
	}
	nameservers := func(configured []string) []string {
		if len(configured) == 0 {
			return dnsutil.RecursiveNameservers
		}
		return configured
	}
	options := controller.ACMEOptions{
		HTTP01SolverImage:                 http.SolverImage,
		HTTP01SolverResourceRequestCPU:    quantity("request-cpu", http.SolverResourceRequestCPU),
		HTTP01SolverResourceRequestMemory: quantity("request-memory", http.SolverResourceRequestMemory),
		HTTP01SolverResourceLimitsCPU:     quantity("limits-cpu", http.SolverResourceLimitsCPU),
		HTTP01SolverResourceLimitsMemory:  quantity("limits-memory", http.SolverResourceLimitsMemory),
		ACMEHTTP01SolverRunAsNonRoot:      http.SolverRunAsNonRoot,
		HTTP01SolverRuntimeClassName:      http.SolverRuntimeClassName,
		HTTP01SolverNameservers:           nameservers(http.SolverNameservers),
		HTTP01SolverExtraLabels:           http.SolverExtraLabels,
		DNS01CheckAuthoritative:           !dns.RecursiveNameserversOnly,
		DNS01Nameservers:                  nameservers(dns.RecursiveNameservers),
		DNS01CheckRetryPeriod:             dns.CheckRetryPeriod,
	}
	return options, errors.Join(failed...)
}
