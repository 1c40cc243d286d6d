package automation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/client-go/rest"

	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/kubernetes"
	"github.com/telekom/controlplane-infrastructure/internal/tools"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// session is one opened stack: a checked configuration, engine plugins where they are ours, and a workspace.
type session struct {
	Options
	cfg     *config.Config
	stack   auto.Stack
	outputs auto.OutputMap // of an up
	usage   error          // what the program found wrong with the configuration
	// kubeconfig is that of a cluster that the run makes, once that is there.
	kubeconfig *atomic.Pointer[string]
	// interrupted says that the last run was killed, and that what it has made is to be found again.
	interrupted *atomic.Bool
	// forwarded says that a port is forwarded to Keycloak until the session ends.
	forwarded bool
	// released says that the last run was killed, and that its lock is no more.
	released bool
	*place
	cleanup []func()
}

// existing is the cluster that is looked at before anything is created on it.
func (s *session) existing(root string, cfg config.Cluster) (*rest.Config, error) {
	if s.server != nil {
		return s.server, nil
	}
	return stacks.Existing(root, cfg)
}

// open checks the configuration first, so that a mistake in it costs nothing and starts nothing.
func open(ctx context.Context, o Options) (_ *session, err error) {
	o, err = o.complete()
	if err != nil {
		return nil, err
	}
	cfg, err := loadConfig(o)
	if err != nil {
		return nil, err
	}
	s := &session{Options: o, cfg: cfg, kubeconfig: &atomic.Pointer[string]{}, interrupted: &atomic.Bool{}, place: &place{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.place, err = s.findPlace(ctx); err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.mark()); err == nil {
		s.interrupted.Store(true)
	}
	root, err := tools.PulumiRoot(ctx)
	if err != nil {
		return nil, err
	}
	cli, err := newCommand(root)
	if err != nil {
		return nil, err
	}
	if err := s.attachPlugins(ctx); err != nil {
		return nil, err
	}
	opts := []auto.LocalWorkspaceOption{
		auto.Pulumi(cli), auto.WorkDir(s.workDir), auto.EnvVars(s.env),
		auto.Program(s.program),
	}
	if s.home != "" {
		opts = append(opts, auto.PulumiHome(s.home))
	}
	workspace, err := auto.NewLocalWorkspace(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("open the Pulumi project: %w", err)
	}
	if s.stack, err = reading(ctx, pause, func() (auto.Stack, error) { return auto.UpsertStack(ctx, o.Stack, workspace) }); err != nil {
		return nil, fmt.Errorf("open stack %s: %w", o.Stack, shorten(err))
	}
	return s, nil
}

// program is the stack. What it finds wrong with the configuration in view of what the stack is now comes back through
// the engine as text only, so it is kept here.
func (s *session) program(ctx *pulumi.Context) error {
	err := stacks.New(stacks.Options{Root: s.Project, Cluster: s.existing, Simulated: s.Local, Made: func(k string) { s.kubeconfig.Store(&k) }})(ctx)
	var invalid config.Errors
	if errors.As(err, &invalid) {
		s.usage = err
	}
	return err
}

// loadConfig reports every mistake in the stack's file.
func loadConfig(o Options) (*config.Config, error) {
	cfg, err := config.Load(o.Project, o.Stack)
	if err != nil {
		return nil, &UsageError{Err: fmt.Errorf("stack %s is not valid:\n%w", o.Stack, err)}
	}
	return cfg, nil
}

// simulatesAWS tells whether what the stack creates in Amazon Web Services would exist nowhere. On the local control
// plane that is meant, and a preview creates nothing.
func (s *session) simulatesAWS() bool {
	data := s.cfg.Storage
	usesAWS := s.cfg.Cluster.Kind == config.ClusterEKS || data.ObjectStorage.Backend == config.ObjectsS3 ||
		data.PostgreSQL.Backend == config.DatabasesRDS || data.Cache.Backend == config.CacheElastiCache
	return usesAWS && s.Plugins == PluginsBuiltin && !s.Local
}

// attachPlugins serves the built-in plugins and points the engine at them.
func (s *session) attachPlugins(ctx context.Context) error {
	if s.Plugins != PluginsBuiltin {
		return nil
	}
	// A cancelled run still needs its plugins: they tell the engine how far each operation got.
	host, err := plugins.Serve(context.WithoutCancel(ctx), plugins.Options{
		Kubernetes: kubernetes.Options{Target: s.server, Adopt: s.interrupted.Load}, AWS: s.account,
		Keycloak: keycloak.Options{Memory: s.realms, Adopt: s.interrupted.Load},
	})
	if err != nil {
		return fmt.Errorf("start the built-in plugins: %w", err)
	}
	s.cleanup = append(s.cleanup, func() { _ = host.Close() })
	s.env["PULUMI_DEBUG_PROVIDERS"] = host.Env()
	return nil
}

func (s *session) close() {
	for i := len(s.cleanup) - 1; i >= 0; i-- {
		s.cleanup[i]()
	}
	s.cleanup = nil
}
