// Command controller runs cert-manager's controllers. The Venafi issuer is left out: the module of its client is not
// to be had from every mirror.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	"github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	logf "github.com/cert-manager/cert-manager/pkg/logs"

	"github.com/cert-manager/cert-manager/controlplane/command"
)

func main() {
	c := defaults()
	cmd := newCommand(c)
	cmd.Run(func(ctx context.Context) error { return run(ctx, cmd, c) })
}

// run serves metrics and health at once, and runs the controllers while this process leads.
func run(ctx context.Context, cmd *command.Command, c *config.ControllerConfiguration) error {
	options, err := contextOptions(c)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	base, err := factory.Build()
	if err != nil {
		return err
	}
	if err := serveMetrics(ctx, group, base, cmd.Address(c.MetricsListenAddress)); err != nil {
		return err
	}
	health := healthz.NewServer(c.LeaderElectionConfig.HealthzTimeout)
	listener, err := net.Listen("tcp", cmd.Address(c.HealthzListenAddress))
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	group.Go(func() error { return health.Start(ctx, listener) })

	leads := make(chan struct{})
	if c.LeaderElectionConfig.Enabled {
		elector, err := newElector(base, c, health.LeaderHealthzAdaptor, leads)
		if err != nil {
			return err
		}
		group.Go(func() error {
			elector.Run(ctx)
			if ctx.Err() == nil {
				return errors.New("another process leads now") // whoever started this one starts it again
			}
			return nil
		})
	} else {
		close(leads)
	}
	group.Go(func() error {
		select {
		case <-leads:
			return runControllers(ctx, factory, base, c)
		case <-ctx.Done():
			return nil
		}
	})
	return group.Wait()
}

func serveMetrics(ctx context.Context, group *errgroup.Group, base *controller.Context, address string) error {
	if address == "0" {
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	objects := base.SharedInformerFactory
	base.Metrics.SetupACMECollector(objects.Acme().V1().Challenges().Lister())
	base.Metrics.SetupCertificateCollector(objects.Certmanager().V1().Certificates().Lister())
	base.Metrics.SetupIssuerCollector(objects.Certmanager().V1().Issuers().Lister())
	base.Metrics.SetupClusterIssuerCollector(objects.Certmanager().V1().ClusterIssuers().Lister())
	server := base.Metrics.NewServer(listener)
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("metrics: %w", err)
		}
		return nil
	})
	return nil
}

// newElector competes for the lease, and closes leads when this process has it.
func newElector(base *controller.Context, c *config.ControllerConfiguration, dog *leaderelection.HealthzAdaptor, leads chan<- struct{}) (*leaderelection.LeaderElector, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	o := c.LeaderElectionConfig
	// Replicas may run on one host: its name alone would let two of them lead.
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, o.Namespace, "cert-manager-controller",
		base.Client.CoreV1(), base.Client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: host + "_" + uuid.NewString(), EventRecorder: base.Recorder})
	if err != nil {
		return nil, err
	}
	return leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   o.LeaseDuration,
		RenewDeadline:   o.RenewDeadline,
		RetryPeriod:     o.RetryPeriod,
		ReleaseOnCancel: true,
		WatchDog:        dog,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(leads) },
			OnStoppedLeading: func() { logf.Log.Info("this process leads no longer") },
		},
	})
}
