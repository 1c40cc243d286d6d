package automation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/plugins"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
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
	outputs auto.OutputMap   // of an up
	realms  *keycloak.Memory // the simulated Keycloak; nil: a real one
	usage   error            // what the program found wrong with the configuration
	target  *rest.Config     // the cluster for built-in plugins; nil: as the stack says
	// kubeconfig is that of a cluster that the run makes, once that is there.
	kubeconfig *atomic.Pointer[string]
	cleanup    []func()
}

// existing is the cluster that is looked at before anything is created on it.
func (s *session) existing(root string, cfg config.Cluster) (*rest.Config, error) {
	if s.target != nil {
		return s.target, nil
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
	s := &session{Options: o, cfg: cfg, kubeconfig: &atomic.Pointer[string]{}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	place, err := s.place(ctx)
	if err != nil {
		return nil, err
	}
	s.realms, s.target = place.realms, place.target
	root, err := tools.PulumiRoot(ctx)
	if err != nil {
		return nil, err
	}
	cli, err := newCommand(root)
	if err != nil {
		return nil, err
	}
	if err := s.attachPlugins(ctx, place); err != nil {
		return nil, err
	}
	opts := []auto.LocalWorkspaceOption{
		auto.Pulumi(cli), auto.WorkDir(place.workDir), auto.EnvVars(place.env),
		auto.Program(s.program),
	}
	if place.home != "" {
		opts = append(opts, auto.PulumiHome(place.home))
	}
	workspace, err := auto.NewLocalWorkspace(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("open the Pulumi project: %w", err)
	}
	if s.stack, err = auto.UpsertStack(ctx, o.Stack, workspace); err != nil {
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
func (s *session) attachPlugins(ctx context.Context, p *place) error {
	if s.Plugins != PluginsBuiltin {
		return nil
	}
	// A cancelled run still needs its plugins: they tell the engine how far each operation got.
	host, err := plugins.Serve(context.WithoutCancel(ctx), plugins.Options{
		Kubernetes: kubernetes.Options{Target: p.target}, AWS: p.account, Keycloak: keycloak.Options{Memory: p.realms},
	})
	if err != nil {
		return fmt.Errorf("start the built-in plugins: %w", err)
	}
	s.cleanup = append(s.cleanup, func() { _ = host.Close() })
	p.env["PULUMI_DEBUG_PROVIDERS"] = host.Env()
	return nil
}

func (s *session) close() {
	for i := len(s.cleanup) - 1; i >= 0; i-- {
		s.cleanup[i]()
	}
	s.cleanup = nil
}

// place is where a run keeps its files and which cluster it reaches.
type place struct {
	workDir string
	home    string // PULUMI_HOME; empty: the user's own
	env     environment
	target  *rest.Config     // the cluster for built-in plugins; nil: as the stack says
	account *aws.Options     // the simulated account of Amazon Web Services; nil: none
	realms  *keycloak.Memory // the simulated Keycloak; nil: the one that the stack has
}

// skipCheckpoints has the engine write the state once, at the end of an operation.
const skipCheckpoints = "PULUMI_SKIP_CHECKPOINTS"

// engineSettings are the engine's, whatever it works on. It makes much garbage of each state that it writes: collecting
// it less often costs some memory and saves work.
func engineSettings() environment {
	e := environment{"PULUMI_SKIP_UPDATE_CHECK": "true"}
	if !e.has("GOGC") {
		e["GOGC"] = "400"
	}
	return e
}

func (s *session) place(ctx context.Context) (*place, error) {
	if s.Local {
		return s.localPlace(ctx)
	}
	p := &place{workDir: s.Project, env: engineSettings(), account: &aws.Options{}}
	dir, err := stateDir()
	if err != nil {
		return nil, err
	}
	configured, err := backendConfigured(s.Project)
	if err != nil {
		return nil, err
	}
	if !configured {
		if err := p.ownBackend(dir); err != nil {
			return nil, err
		}
	}
	// Published plugins and the credentials of `pulumi login` are in the user's home.
	if s.Plugins == PluginsBuiltin && (!configured || !needsLogin(s.Project)) {
		return p, p.ownHome(dir)
	}
	return p, nil
}

// localPlace keeps everything in the control plane's own directory: what stops it also removes the state of what ran
// on it. Without a running control plane (a preview) everything is temporary and there is no cluster to ask.
func (s *session) localPlace(ctx context.Context) (*place, error) {
	found, err := s.findLocal(ctx)
	if err != nil {
		return nil, err
	}
	p := &place{env: engineSettings()}
	// The engine writes the whole state for each step of an operation, which takes most of an operation's time. A control
	// plane that is thrown away with its state does with the state at the end, which is written after an interrupt, too.
	if !p.env.has(skipCheckpoints) {
		p.env[skipCheckpoints], p.env["PULUMI_EXPERIMENTAL"] = "true", "true"
	}
	var dir string
	if found != nil {
		dir = filepath.Join(found.Dir, "pulumi")
		p.account = &aws.Options{StateFile: filepath.Join(dir, "aws.json")}
		p.realms = &keycloak.Memory{StateFile: filepath.Join(dir, "keycloak.json")}
		if p.target, err = clientcmd.BuildConfigFromFlags("", found.Kubeconfig); err != nil {
			return nil, fmt.Errorf("read the local control plane's kubeconfig: %w", err)
		}
	} else {
		if dir, err = os.MkdirTemp("", "platform-preview-"); err != nil {
			return nil, err
		}
		s.cleanup = append(s.cleanup, func() { _ = os.RemoveAll(dir) })
		p.account, p.realms = &aws.Options{}, &keycloak.Memory{}
		// A loopback port that nothing listens on: whatever KUBECONFIG says, no cluster is meant.
		p.target = &rest.Config{Host: "https://127.0.0.1:1"}
	}
	p.workDir = filepath.Join(dir, "work")
	if err := os.MkdirAll(p.workDir, 0o700); err != nil {
		return nil, err
	}
	if err := copyProject(s.Project, s.Stack, p.workDir); err != nil {
		return nil, err
	}
	return p, errors.Join(p.ownHome(dir), p.ownBackend(dir))
}

// findLocal is the running local control plane, or nil.
func (o Options) findLocal(ctx context.Context) (*local.ControlPlane, error) {
	if o.LocalControlPlane != nil {
		return o.LocalControlPlane, nil
	}
	report, err := local.Status(ctx, local.Options{Dir: o.LocalDir})
	if err != nil || report.State != local.Running {
		return nil, err
	}
	return &local.ControlPlane{Dir: report.Dir, Kubeconfig: report.Kubeconfig}, nil
}

// ErrNotRunning says that the local control plane is needed and is not there.
var ErrNotRunning = errors.New("the local control plane is not running: start it with `platform local start`")
