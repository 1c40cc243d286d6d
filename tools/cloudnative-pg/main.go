// Command cloudnative-pg-manager is CloudNativePG's operator for a local control plane. It takes the flags and variables
// of the operator's own command, and everything that it does with the API is the operator's own: webhooks and their
// certificates, secrets, services, volume claims, jobs, pods, budgets, roles, failover and switchover.
//
// One thing is simulated, because there are no PostgreSQL processes on a local control plane: what the instance managers
// in the pods report (instances.go) and do (managers.go).
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cloudnative-pg/machinery/pkg/log"
	"github.com/spf13/cobra"
	discoveryv1 "k8s.io/api/discovery/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/cloudnative-pg/cloudnative-pg/internal/configuration"
	"github.com/cloudnative-pg/cloudnative-pg/internal/scheme"
	"github.com/cloudnative-pg/cloudnative-pg/pkg/certs"
	"github.com/cloudnative-pg/cloudnative-pg/pkg/utils"
)

// options are the flags of `manager controller`, and two of our own: where to listen and where certificates are.
type options struct {
	metrics, host, certificates string
	port, parallel              int
	elect                       bool
	lease, renew                int
	configMap, secret           string
}

func main() {
	logging := &log.Flags{}
	root := &cobra.Command{
		Use: "manager", SilenceUsage: true,
		PersistentPreRun: func(*cobra.Command, []string) { logging.ConfigureLogging() },
	}
	logging.AddFlags(root.PersistentFlags())
	root.AddCommand(controllerCommand())
	if err := root.Execute(); err != nil {
		os.Exit(1)
	}
}

func controllerCommand() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use: "controller", Short: "Runs the operator.", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return run(ctrl.SetupSignalHandler(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.host, "listen-host", "", "address of this machine to listen on with the webhook (default: all)")
	flags.StringVar(&o.certificates, "webhook-cert-dir", "/run/secrets/cnpg.io/webhook", "directory with the certificate of the webhook")
	flags.StringVar(&o.metrics, "metrics-bind-address", ":8080", "HOST:PORT of metrics; 0: none")
	flags.IntVar(&o.port, "webhook-port", 9443, "port of the webhook")
	flags.IntVar(&o.parallel, "max-concurrent-reconciles", 10, "objects of a kind that are looked at at a time")
	flags.BoolVar(&o.elect, "leader-elect", false, "work only while holding a lease")
	flags.IntVar(&o.lease, "leader-lease-duration", 15, "seconds that others wait for a lease that is not renewed")
	flags.IntVar(&o.renew, "leader-renew-deadline", 10, "seconds that the holder tries to renew it")
	flags.StringVar(&o.configMap, "config-map-name", "", "ConfigMap with the operator's settings")
	flags.StringVar(&o.secret, "secret-name", "", "Secret with the operator's settings, which win over those of the ConfigMap")
	return cmd
}

func run(ctx context.Context, o *options) error {
	settings := configuration.Current
	mgr, err := newManager(o, settings)
	if err != nil {
		return fmt.Errorf("manager: %w", err)
	}
	// The manager's own client reads from a cache that is filled when it runs.
	direct, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme()})
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if err := readSettings(ctx, direct, o, settings); err != nil {
		return err
	}
	discovery, err := detectSystem()
	if err != nil {
		return err
	}
	if err := ensureCertificates(ctx, direct, o, settings); err != nil {
		return fmt.Errorf("certificates of the webhook: %w", err)
	}
	certificate, err := clientCertificate()
	if err != nil {
		return fmt.Errorf("certificate for instances: %w", err)
	}
	plugins, err := addControllers(ctx, mgr, discovery, certificate, o, settings)
	if err != nil {
		return err
	}
	defer plugins.Close()
	if err := addWebhooks(mgr); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager(o *options, settings *configuration.Data) (ctrl.Manager, error) {
	lease, renew := time.Duration(o.lease)*time.Second, time.Duration(o.renew)*time.Second
	metrics := server.Options{BindAddress: o.metrics}
	if settings.MetricsCertDir != "" {
		metrics.SecureServing, metrics.CertDir = true, settings.MetricsCertDir
	}
	return ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:  scheme.BuildWithAllKnownScheme(),
		Metrics: metrics,
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&discoveryv1.EndpointSlice{}: {Namespaces: map[string]cache.Config{settings.OperatorNamespace: {}}},
		}},
		WebhookServer:                 webhook.NewServer(webhook.Options{Host: o.host, Port: o.port, CertDir: o.certificates}),
		LeaderElection:                o.elect,
		LeaderElectionID:              "db9c8771.cnpg.io",
		LeaderElectionNamespace:       settings.OperatorNamespace,
		LeaderElectionReleaseOnCancel: true,
		LeaseDuration:                 &lease,
		RenewDeadline:                 &renew,
	})
}

// ensureCertificates makes the operator's authority and the certificate of its webhook, and tells the API server.
func ensureCertificates(ctx context.Context, c client.Client, o *options, settings *configuration.Data) error {
	pki := certs.PublicKeyInfrastructure{
		CaSecretName:                       "cnpg-ca-secret",
		SecretName:                         "cnpg-webhook-cert",
		ServiceName:                        "cnpg-webhook-service",
		CertDir:                            o.certificates,
		OperatorNamespace:                  settings.OperatorNamespace,
		MutatingWebhookConfigurationName:   settings.GetMutatingWebhookConfigurationName(),
		ValidatingWebhookConfigurationName: settings.GetValidatingWebhookConfigurationName(),
		OperatorDeploymentLabelSelector:    "app.kubernetes.io/name=cloudnative-pg",
		ManageWebhookConfigurations:        settings.ManageWebhookConfigurations,
	}
	return pki.Setup(ctx, c)
}

func clientCertificate() (*tls.Certificate, error) {
	pair, err := certs.GenerateSelfSignedClientCertificate("cloudnative-pg-operator")
	if err != nil {
		return nil, err
	}
	certificate, err := pair.TLSCertificate()
	return &certificate, err
}

// simulateInstanceManager writes what stands for the program that the operator hands to its instances: it looks for that
// below the working directory and only ever compares checksums.
func simulateInstanceManager() error {
	dir, err := os.MkdirTemp("", "instance-manager-")
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	if err := os.Mkdir("operator", 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("operator", "manager_"+runtime.GOARCH), []byte("simulated"), 0o600)
}

func answerReadiness(mgr ctrl.Manager) {
	mgr.GetWebhookServer().WebhookMux().HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "OK")
	})
}

// instanceManager is the simulated program, by its checksum.
func instanceManager() (string, error) {
	manager, err := utils.GetAvailableArchitecture(runtime.GOARCH)
	if err != nil {
		return "", err
	}
	return manager.GetHash(), nil
}
