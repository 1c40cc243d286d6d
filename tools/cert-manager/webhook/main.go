// Command webhook serves cert-manager's admission webhooks.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	admission "sigs.k8s.io/controller-runtime/pkg/webhook"

	config "github.com/cert-manager/cert-manager/internal/apis/config/webhook"
	"github.com/cert-manager/cert-manager/internal/apis/config/webhook/validation"
	"github.com/cert-manager/cert-manager/internal/webhook"
	_ "github.com/cert-manager/cert-manager/internal/webhook/feature" // declares the gates
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	cmadmission "github.com/cert-manager/cert-manager/pkg/webhook/admission"
	"github.com/cert-manager/cert-manager/pkg/webhook/configfile"
	"github.com/cert-manager/cert-manager/pkg/webhook/options"
	"github.com/cert-manager/cert-manager/pkg/webhook/server"

	"github.com/cert-manager/cert-manager/controlplane/command"
)

func main() {
	c, err := options.NewWebhookConfiguration()
	if err != nil {
		panic(err) // of the compiled-in scheme
	}
	cmd := command.New("webhook")
	options.AddConfigFlags(cmd.Flags, c)
	cmd.Logging, cmd.Gates = &c.Logging, &c.FeatureGates
	cmd.Load = func(path string) error {
		file := configfile.New()
		if err := command.LoadFile(path, file); err != nil {
			return err
		}
		file.Config.DeepCopyInto(c)
		return nil
	}
	cmd.Run(func(ctx context.Context) error {
		if err := validation.ValidateWebhookConfiguration(c, nil).ToAggregate(); err != nil {
			return fmt.Errorf("flags or configuration file: %w", err)
		}
		c.KubeConfig = command.Kubeconfig(c.KubeConfig)
		s, err := webhook.NewCertManagerWebhookServer(logf.FromContext(ctx), *c)
		if err != nil {
			return err
		}
		return serve(ctx, cmd, c, s)
	})
}

// serve does what the server's Run does, but listens on one address of the machine where Run takes all of them.
func serve(ctx context.Context, cmd *command.Command, c *config.WebhookConfiguration, s *server.Server) error {
	if s.CertificateSource == nil {
		return errors.New("no serving certificate: give --tls-cert-file and --tls-private-key-file, or the --dynamic-serving-ca flags")
	}
	if s.EnableClientVerification {
		return errors.New("--enable-client-verification is not supported here")
	}
	serving, err := tlsOptions(c.TLSConfig.CipherSuites, c.TLSConfig.MinTLSVersion, s.CertificateSource.GetCertificate)
	if err != nil {
		return err
	}
	measured := metrics.Options{BindAddress: cmd.Address(c.MetricsListenAddress)}
	if s.MetricsCertificateSource != nil {
		measured.SecureServing = true
		measured.TLSOpts, err = tlsOptions(c.MetricsTLSConfig.CipherSuites, c.MetricsTLSConfig.MinTLSVersion, s.MetricsCertificateSource.GetCertificate)
		if err != nil {
			return err
		}
	}
	// Nothing here asks the API server through the manager: it needs no address.
	mgr, err := ctrl.NewManager(&rest.Config{}, ctrl.Options{
		Scheme:        s.ResourceScheme,
		Logger:        logf.FromContext(ctx),
		Metrics:       measured,
		WebhookServer: admission.NewServer(admission.Options{Host: cmd.Host(), Port: int(c.SecurePort), TLSOpts: serving}),
	})
	if err != nil {
		return err
	}
	runnables := []manager.Runnable{s.CertificateSource, healthServer(cmd, c, s)}
	if s.MetricsCertificateSource != nil {
		runnables = append(runnables, s.MetricsCertificateSource)
	}
	for _, r := range runnables {
		if err := mgr.Add(r); err != nil {
			return err
		}
	}
	mgr.GetWebhookServer().Register("/mutate", cmadmission.NewCustomMutationWebhook(s.MutationWebhook))
	mgr.GetWebhookServer().Register("/validate", cmadmission.NewCustomValidationWebhook(mgr.GetScheme(), s.ValidationWebhook))
	return mgr.Start(ctx)
}

func tlsOptions(suites []string, minVersion string, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) ([]func(*tls.Config), error) {
	ids, err := cliflag.TLSCipherSuites(suites)
	if err != nil {
		return nil, err
	}
	version, err := cliflag.TLSVersion(minVersion)
	if err != nil {
		return nil, err
	}
	return []func(*tls.Config){func(cfg *tls.Config) {
		cfg.CipherSuites, cfg.MinVersion, cfg.GetCertificate = ids, version, certificate
	}}, nil
}

// healthServer answers /livez always, and /healthz with success once there is a certificate to serve with.
func healthServer(cmd *command.Command, c *config.WebhookConfiguration, s *server.Server) manager.Runnable {
	mux := http.NewServeMux()
	mux.HandleFunc("/livez", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.CertificateSource.Healthy() {
			http.Error(w, "no serving certificate yet", http.StatusInternalServerError)
		}
	})
	return &manager.Server{
		Name:   "health",
		Server: &http.Server{Addr: net.JoinHostPort(cmd.Host(), strconv.Itoa(int(c.HealthzPort))), Handler: mux, ReadHeaderTimeout: 10 * time.Second},
	}
}
