// Command cainjector writes CA certificates into webhook configurations, CRDs and API services that ask for them.
package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	config "github.com/cert-manager/cert-manager/internal/apis/config/cainjector"
	"github.com/cert-manager/cert-manager/internal/apis/config/cainjector/scheme"
	"github.com/cert-manager/cert-manager/internal/apis/config/cainjector/validation"
	_ "github.com/cert-manager/cert-manager/internal/cainjector/feature" // declares the gates
	"github.com/cert-manager/cert-manager/pkg/apis/config/cainjector/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/cainjector/configfile"
	certmanager "github.com/cert-manager/cert-manager/pkg/client/clientset/versioned/scheme"
	"github.com/cert-manager/cert-manager/pkg/controller/cainjector"

	"github.com/cert-manager/cert-manager/controlplane/command"
)

func main() {
	c, err := defaults()
	if err != nil {
		panic(err) // of the compiled-in scheme
	}
	cmd := newCommand(c)
	cmd.Run(func(ctx context.Context) error {
		if err := validation.ValidateCAInjectorConfiguration(c, nil).ToAggregate(); err != nil {
			return fmt.Errorf("flags or configuration file: %w", err)
		}
		return run(ctx, cmd, c)
	})
}

func defaults() (*config.CAInjectorConfiguration, error) {
	s, _, err := scheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	versioned := &v1alpha1.CAInjectorConfiguration{}
	s.Default(versioned)
	c := &config.CAInjectorConfiguration{}
	return c, s.Convert(versioned, c, nil)
}

func newCommand(c *config.CAInjectorConfiguration) *command.Command {
	cmd := command.New("cainjector")
	cmd.AddCommon(&c.Logging, &c.FeatureGates, &c.KubeConfig)
	cmd.AddLeaderElection(&c.LeaderElectionConfig)
	cmd.Load = func(path string) error {
		file := configfile.New()
		if err := command.LoadFile(path, file); err != nil {
			return err
		}
		file.Config.DeepCopyInto(c)
		return nil
	}
	fs := cmd.Flags
	fs.StringVar(&c.MetricsListenAddress, "metrics-listen-address", c.MetricsListenAddress, "HOST:PORT of metrics; 0: none")
	fs.StringVar(&c.Namespace, "namespace", c.Namespace, "the only namespace to take certificates from (default: all)")
	fs.StringSliceVar(&c.IgnoreNamespaces, "ignore-namespaces", c.IgnoreNamespaces, "namespaces not to take certificates from")
	fs.BoolVar(&c.EnableDataSourceConfig.Certificates, "enable-certificates-data-source", c.EnableDataSourceConfig.Certificates, "take CAs from Certificates")
	into := &c.EnableInjectableConfig
	fs.BoolVar(&into.ValidatingWebhookConfigurations, "enable-validatingwebhookconfigurations-injectable", into.ValidatingWebhookConfigurations, "write into these")
	fs.BoolVar(&into.MutatingWebhookConfigurations, "enable-mutatingwebhookconfigurations-injectable", into.MutatingWebhookConfigurations, "write into these")
	fs.BoolVar(&into.CustomResourceDefinitions, "enable-customresourcedefinitions-injectable", into.CustomResourceDefinitions, "write into these")
	fs.BoolVar(&into.APIServices, "enable-apiservices-injectable", into.APIServices, "write into these")
	return cmd
}

func run(ctx context.Context, cmd *command.Command, c *config.CAInjectorConfiguration) error {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		kubernetes.AddToScheme, certmanager.AddToScheme, apiextensions.AddToScheme, apiregistration.AddToScheme,
	} {
		if err := add(s); err != nil {
			return err
		}
	}
	cfg, err := command.RESTConfig(c.KubeConfig, "cainjector")
	if err != nil {
		return err
	}
	var namespaces map[string]cache.Config
	if c.Namespace != "" {
		namespaces = map[string]cache.Config{c.Namespace: {}}
	}
	// The manager makes an identity of its own for the lease, so replicas may share a host.
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:                        s,
		Cache:                         cache.Options{ReaderFailOnMissingInformer: true, DefaultNamespaces: namespaces},
		Client:                        client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
		Metrics:                       server.Options{BindAddress: cmd.Address(c.MetricsListenAddress)},
		LeaderElection:                c.LeaderElectionConfig.Enabled,
		LeaderElectionNamespace:       c.LeaderElectionConfig.Namespace,
		LeaderElectionID:              "cert-manager-cainjector-leader-election",
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &c.LeaderElectionConfig.LeaseDuration,
		RenewDeadline:                 &c.LeaderElectionConfig.RenewDeadline,
		RetryPeriod:                   &c.LeaderElectionConfig.RetryPeriod,
	})
	if err != nil {
		return err
	}
	into := c.EnableInjectableConfig
	err = cainjector.RegisterAllInjectors(ctx, mgr, cainjector.SetupOptions{
		Namespace:                    c.Namespace,
		IgnoreNamespaces:             c.IgnoreNamespaces,
		EnableCertificatesDataSource: c.EnableDataSourceConfig.Certificates,
		EnabledReconcilersFor: map[string]bool{
			cainjector.ValidatingWebhookConfigurationName: into.ValidatingWebhookConfigurations,
			cainjector.MutatingWebhookConfigurationName:   into.MutatingWebhookConfigurations,
			cainjector.CustomResourceDefinitionName:       into.CustomResourceDefinitions,
			cainjector.APIServiceName:                     into.APIServices,
		},
	})
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}
