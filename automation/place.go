package automation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/keycloak"
)

// place is where a run keeps its files and which cluster it reaches.
type place struct {
	workDir string
	home    string // PULUMI_HOME; empty: the user's own
	env     environment
	server  *rest.Config     // the cluster for built-in plugins; nil: as the stack says
	account *aws.Options     // the simulated account of Amazon Web Services; nil: none
	realms  *keycloak.Memory // the simulated Keycloak; nil: the one that the stack has
	// forgetful says that the state is written once, at the end of an operation: a run that is killed leaves none.
	forgetful bool
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

func (s *session) findPlace(ctx context.Context) (*place, error) {
	if s.Local {
		return s.localPlace(ctx)
	}
	return s.ownPlace()
}

// ownPlace is a directory for this stack of this project in one backend. The engine writes to its working directory, such
// as a salt into a stack's file that has none, which is of no use in a backend with another passphrase; and stacks that run
// at the same time must not share it. The project stays as it is.
func (s *session) ownPlace() (*place, error) {
	p := &place{env: engineSettings(), account: &aws.Options{}}
	dir, err := stateDir()
	if err != nil {
		return nil, err
	}
	backend, err := backendURL(s.Project)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(s.Project + "\x00" + s.Stack + "\x00" + backend))
	own := filepath.Join(dir, "stacks", s.Stack+"-"+hex.EncodeToString(sum[:6]))
	if err := p.workOn(s.Project, s.Stack, own); err != nil {
		return nil, err
	}
	configured := backend != ""
	if !configured {
		if err := p.ownBackend(dir); err != nil {
			return nil, err
		}
	}
	p.resolvePaths(s.Project, backend)
	// Published plugins and the credentials of `pulumi login` are in the user's home.
	if s.Plugins == PluginsBuiltin && (!configured || !needsLogin(s.Project)) {
		return p, p.ownHome(own)
	}
	return p, nil
}

// workOn makes the engine's working directory below dir, with copies of what it reads of the project.
func (p *place) workOn(project, stack, dir string) error {
	p.workDir = filepath.Join(dir, "work")
	if err := os.MkdirAll(p.workDir, 0o700); err != nil {
		return fmt.Errorf("make the engine's working directory: %w", err)
	}
	if err := copyProject(project, stack, p.workDir); err != nil {
		return fmt.Errorf("copy the project's settings for the engine: %w", err)
	}
	return nil
}

// resolvePaths has relative paths in the engine's environment and in the choice of a backend mean what they mean to an
// engine that works in the project.
func (p *place) resolvePaths(project, backend string) {
	if path, isFile := strings.CutPrefix(backend, "file://"); isFile && !filepath.IsAbs(path) && !strings.HasPrefix(path, "~") {
		p.env["PULUMI_BACKEND_URL"] = "file://" + filepath.ToSlash(filepath.Join(project, path))
	}
	for _, key := range []string{"PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_HOME", "KUBECONFIG"} {
		paths := filepath.SplitList(os.Getenv(key))
		for i, path := range paths {
			if path != "" && !filepath.IsAbs(path) {
				paths[i] = filepath.Join(project, path)
				p.env[key] = strings.Join(paths, string(os.PathListSeparator))
			}
		}
	}
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
		p.env[skipCheckpoints], p.env["PULUMI_EXPERIMENTAL"], p.forgetful = "true", "true", true
	}
	var dir string
	if found != nil {
		dir = filepath.Join(found.Dir, "pulumi")
		p.account = &aws.Options{StateFile: filepath.Join(dir, "aws.json")}
		p.realms = &keycloak.Memory{StateFile: filepath.Join(dir, "keycloak.json")}
		if p.server, err = localServer(found); err != nil {
			return nil, err
		}
	} else {
		if dir, err = os.MkdirTemp("", "platform-preview-"); err != nil {
			return nil, err
		}
		s.cleanup = append(s.cleanup, func() { _ = os.RemoveAll(dir) })
		p.account, p.realms = &aws.Options{}, &keycloak.Memory{}
		// A loopback port that nothing listens on: whatever KUBECONFIG says, no cluster is meant.
		p.server = &rest.Config{Host: "https://127.0.0.1:1"}
	}
	if err := p.workOn(s.Project, s.Stack, dir); err != nil {
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

// runningLocal is the running local control plane, or ErrNotRunning.
func (o Options) runningLocal(ctx context.Context) (*local.ControlPlane, error) {
	found, err := o.findLocal(ctx)
	if err == nil && found == nil {
		err = ErrNotRunning
	}
	return found, err
}

// localServer is how to reach a local control plane.
func localServer(c *local.ControlPlane) (*rest.Config, error) {
	server, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the local control plane's kubeconfig: %w", err)
	}
	return server, nil
}

// ErrNotRunning says that the local control plane is needed and is not there.
var ErrNotRunning = errors.New("the local control plane is not running: start it with `platform local start`")
