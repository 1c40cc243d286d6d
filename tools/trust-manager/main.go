// Command trust-manager distributes trust bundles. It does what upstream's command does, with the same flags, but
// listens on one address of the machine if --listen-host names one: upstream's takes all of them.
package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	admission "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/cert-manager/trust-manager/cmd/trust-manager/app"
	"github.com/cert-manager/trust-manager/cmd/trust-manager/app/options"
	trust "github.com/cert-manager/trust-manager/pkg/apis/trust/v1alpha1"
	"github.com/cert-manager/trust-manager/pkg/bundle"
	"github.com/cert-manager/trust-manager/pkg/webhook"
)

func main() {
	o, host := options.New(), ""
	cmd := &cobra.Command{
		Use:          "trust-manager",
		Short:        "Distributes trust bundles to the namespaces of a cluster.",
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Complete(); err != nil {
				return err
			}
			namespace, err := leaseNamespace(cmd.Flag("kubeconfig").Value.String())
			if err != nil {
				return err
			}
			log := o.NewLogger()
			klog.SetLogger(log)
			ctrl.SetLogger(log)
			return run(o, host, namespace)
		},
	}
	o.Prepare(cmd)
	cmd.Flags().StringVar(&host, "listen-host", "", "address to listen on, for webhook, metrics and readiness (default: --webhook-host for the webhook, all for the others)")
	if err := cmd.Execute(); err != nil {
		os.Exit(1)
	}
}

// leaseNamespace is the namespace of the kubeconfig's context; "" without a kubeconfig, which is in a pod, whose
// namespace is taken then.
func leaseNamespace(kubeconfig string) (string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := rules.Load()
	if err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	context := config.Contexts[config.CurrentContext]
	if context == nil {
		return "", nil
	}
	return cmp.Or(context.Namespace, "default"), nil
}

func run(o *options.Options, host, namespace string) error {
	mgr, err := newManager(o, host, namespace)
	if err != nil {
		return err
	}
	started := mgr.GetWebhookServer().StartedChecker()
	if err := mgr.AddReadyzCheck("webhook", started); err != nil {
		return fmt.Errorf("readiness: %w", err)
	}
	if err := mgr.AddHealthzCheck("webhook", started); err != nil {
		return fmt.Errorf("health: %w", err)
	}
	ctx := ctrl.SetupSignalHandler()
	if err := bundle.SetupWithManager(ctx, mgr, o.Bundle); err != nil {
		return fmt.Errorf("bundle controller: %w", err)
	}
	if err := webhook.SetupWebhookWithManager(mgr); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return mgr.Start(ctx)
}

func newManager(o *options.Options, host, namespace string) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := kubernetes.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := trust.AddToScheme(scheme); err != nil {
		return nil, err
	}
	tlsOptions, err := app.GetTLSOptions(o.TLSConfig)
	if err != nil {
		return nil, fmt.Errorf("TLS flags: %w", err)
	}
	address := func(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
	return ctrl.NewManager(o.RestConfig, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         bundle.CacheOpts(o.Bundle),
		Metrics:                       metrics.Options{BindAddress: address(o.MetricsPort)},
		HealthProbeBindAddress:        address(o.ReadyzPort),
		ReadinessEndpointName:         o.ReadyzPath,
		LeaderElection:                o.LeaderElectionConfig.Enabled,
		LeaderElectionID:              "trust-manager-leader-election",
		LeaderElectionNamespace:       namespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &o.LeaderElectionConfig.LeaseDuration,
		RenewDeadline:                 &o.LeaderElectionConfig.RenewDeadline,
		WebhookServer: admission.NewServer(admission.Options{
			Host: cmp.Or(host, o.Webhook.Host), Port: o.Webhook.Port, CertDir: o.Webhook.CertDir, TLSOpts: tlsOptions,
		}),
	})
}
