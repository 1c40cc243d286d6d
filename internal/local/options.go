package local

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// maxDir is the longest directory name whose sockets the operating system accepts (a socket's path has at most 104
// bytes on the strictest system, and the longest name in the directory is "run/egress.sock").
const maxDir = 104 - len("/run/egress.sock") - 1

// DefaultName is the name of the control plane when none is given.
const DefaultName = "default"

// KubernetesVersions are the minors that a control plane can have: the oldest one that is supported, which is the default,
// and the newest one that is tested.
var KubernetesVersions = []string{"1.31", "1.37"}

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Options say which control plane is meant and what it looks like. The zero value is the default one.
type Options struct {
	// Dir is the directory that holds everything. It belongs to the control plane alone and is removed by a stop.
	// Default: controlplane-infrastructure/local/<Name> in the user's cache directory.
	Dir string `json:"-"`
	// Name tells control planes apart that have no Dir of their own. Default: DefaultName.
	Name string `json:"name"`
	// Log receives progress, one line each. Default: nothing is written.
	Log io.Writer `json:"-"`
	// Zones are the values of topology.kubernetes.io/zone. Default: zone-a, zone-b, zone-c.
	Zones []string `json:"zones"`
	// Nodes is the number of nodes, dealt out over the zones. Default: 9.
	Nodes int `json:"nodes"`
	// KubernetesVersion is the minor of the control plane, one of KubernetesVersions. Default: the first of these; for
	// Start, that of a control plane that runs already.
	KubernetesVersion string `json:"kubernetesVersion"`
	// SupervisorCommand is what Start runs in the background: a command line that calls Supervise with the
	// directory that follows as "--dir DIR". Default: this executable with the arguments "local supervise".
	SupervisorCommand []string `json:"-"`
}

// complete fills in defaults and validates.
func (o Options) complete() (Options, error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if !validName.MatchString(o.Name) {
		return o, fmt.Errorf("name of the local control plane %q: up to 32 lower-case letters, digits and inner hyphens are allowed", o.Name)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Zones == nil {
		o.Zones = []string{"zone-a", "zone-b", "zone-c"}
	}
	if o.Nodes == 0 {
		o.Nodes = 9
	}
	if len(o.Zones) == 0 || o.Nodes < len(o.Zones) || o.Nodes > 100 {
		return o, fmt.Errorf("%d nodes in %d zones: at least one zone, one node for each zone and at most 100 nodes are allowed", o.Nodes, len(o.Zones))
	}
	for _, zone := range o.Zones {
		if !validName.MatchString(zone) {
			return o, fmt.Errorf("zone %q: up to 32 lower-case letters, digits and inner hyphens are allowed", zone)
		}
	}
	if o.KubernetesVersion == "" {
		o.KubernetesVersion = KubernetesVersions[0]
	}
	if !slices.Contains(KubernetesVersions, o.KubernetesVersion) {
		return o, fmt.Errorf("version %q of Kubernetes for the local control plane: allowed are %s", o.KubernetesVersion, strings.Join(KubernetesVersions, ", "))
	}
	if o.Dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("directory for the local control plane: %w", err)
		}
		o.Dir = filepath.Join(cache, "controlplane-infrastructure", "local", o.Name)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return o, fmt.Errorf("directory for the local control plane: %w", err)
	}
	if len(dir) > maxDir {
		return o, fmt.Errorf("directory for the local control plane %s: %d bytes are too long for the sockets in it, at most %d are allowed", dir, len(dir), maxDir)
	}
	o.Dir = dir
	return o, nil
}

// fingerprint changes with everything that makes a running control plane unfit to be used in place of a new one.
func (o Options) fingerprint(tools toolset) (string, error) {
	content, err := json.Marshal(struct {
		Options Options
		Tools   toolset
		Stages  string
		Images  []string
	}{o, tools, kwokConfig, realImages()})
	if err != nil {
		return "", fmt.Errorf("fingerprint of the local control plane: %w", err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8]), nil
}

// layout names the files of a control plane's directory.
type layout string

func (l layout) path(elem ...string) string {
	return filepath.Join(append([]string{string(l)}, elem...)...)
}
func (l layout) kubeconfig(user string) string { return l.path("pki", user+".kubeconfig") }
func (l layout) admin() string                 { return l.path("kubeconfig") }
func (l layout) etcdSocket() string            { return l.path("run", "etcd.sock") }
func (l layout) egressSocket() string          { return l.path("run", "egress.sock") }
func (l layout) log(name string) string        { return l.path("log", name+".log") }
func (l layout) state() string                 { return l.path("state.json") }
func (l layout) options() string               { return l.path("options.json") }
func (l layout) supervisorLock() string        { return l.path("supervisor.lock") }

// stacks is where the state of stacks belongs that run on this control plane: it is worth nothing without it.
func (l layout) stacks() string { return l.path("pulumi") }

// foreign returns an entry of the directory that no control plane put there.
func (l layout) foreign() (string, error) {
	entries, err := os.ReadDir(string(l))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("directory of the local control plane: %w", err)
	}
	for _, entry := range entries {
		switch l.path(entry.Name()) {
		case l.options(), l.supervisorLock(), l.state(), l.stacks(), l.path("log"), l.path("run"):
		default:
			return entry.Name(), nil
		}
	}
	return "", nil
}

// make creates the directories of a control plane that is about to start. It refuses a directory with anything in it
// that a control plane did not put there, because stopping removes the directory.
func (l layout) make() error {
	entry, err := l.foreign()
	if err != nil {
		return err
	}
	if entry != "" {
		return fmt.Errorf("directory of the local control plane %s is not empty (%s): give it one of its own", l, entry)
	}
	if err := os.RemoveAll(l.stacks()); err != nil {
		return fmt.Errorf("remove the state of stacks on an earlier local control plane: %w", err)
	}
	for _, dir := range []string{"pki", "log", "run", "etcd", "tmp"} {
		if err := os.MkdirAll(l.path(dir), 0o700); err != nil {
			return fmt.Errorf("directory of the local control plane: %w", err)
		}
	}
	return nil
}
