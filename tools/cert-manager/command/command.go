// Package command is what cert-manager's programs have in common here: reading flags and a configuration file,
// logging, feature gates, and where to listen.
//
// Upstream's main packages are in modules of their own that are not published. These take the same flags, as far as a
// local control plane has use for them, over the same packages. A flag that they do not have is logged and ignored, so
// that the arguments of the Helm chart work as they are. One flag is not upstream's: --listen-host.
package command

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	cliflag "k8s.io/component-base/cli/flag"
	logsapi "k8s.io/component-base/logs/api/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cert-manager/cert-manager/internal/apis/config/shared"
	"github.com/cert-manager/cert-manager/internal/kube"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util"
	"github.com/cert-manager/cert-manager/pkg/util/configfile"
	"github.com/cert-manager/cert-manager/pkg/util/feature"
)

// Command is one of the programs.
type Command struct {
	Name  string
	Flags *pflag.FlagSet
	// Logging, if not nil, is what the flags and the configuration file said of logging, once they were read.
	Logging *logsapi.LoggingConfiguration
	// Gates, if not nil, points to the feature gates of flags and configuration file.
	Gates *map[string]bool
	// Load, if not nil, reads a configuration file into what the flags are bound to.
	Load func(path string) error

	host string
}

// New returns a command without flags of its own.
func New(name string) *Command {
	c := &Command{Name: name, Flags: pflag.NewFlagSet(name, pflag.ContinueOnError)}
	c.Flags.ParseErrorsAllowlist.UnknownFlags = true
	c.Flags.StringVar(&c.host, "listen-host", "", "address of this machine to listen on where none is given with a port")
	return c
}

// AddCommon adds the flags that all programs with a configuration file have.
func (c *Command) AddCommon(logging *logsapi.LoggingConfiguration, gates *map[string]bool, kubeconfig *string) {
	c.Logging, c.Gates = logging, gates
	logf.AddFlags(logging, c.Flags)
	c.Flags.Var(cliflag.NewMapStringBool(gates), "feature-gates", "feature gates: NAME=true|false,...")
	c.AddKubeconfig(kubeconfig)
}

// AddKubeconfig adds the flag that says how to reach the API server.
func (c *Command) AddKubeconfig(kubeconfig *string) {
	c.Flags.StringVar(kubeconfig, "kubeconfig", *kubeconfig, "kubeconfig file (default: $KUBECONFIG, else the pod's service account)")
}

// Kubeconfig is the file to use when that one was asked for.
func Kubeconfig(asked string) string { return cmp.Or(asked, os.Getenv("KUBECONFIG")) }

// AddLeaderElection adds the flags for the lease that one of several replicas holds.
func (c *Command) AddLeaderElection(o *shared.LeaderElectionConfig) {
	c.Flags.BoolVar(&o.Enabled, "leader-elect", o.Enabled, "work only while holding a lease")
	c.Flags.StringVar(&o.Namespace, "leader-election-namespace", o.Namespace, "namespace of the lease")
	c.Flags.DurationVar(&o.LeaseDuration, "leader-election-lease-duration", o.LeaseDuration, "how long others wait for a lease that is not renewed")
	c.Flags.DurationVar(&o.RenewDeadline, "leader-election-renew-deadline", o.RenewDeadline, "how long the holder tries to renew it")
	c.Flags.DurationVar(&o.RetryPeriod, "leader-election-retry-period", o.RetryPeriod, "time between tries")
}

// Run reads the command line, sets up logs and gates, and runs until the work is done or a signal ends it.
func (c *Command) Run(work func(ctx context.Context) error) {
	logf.InitLogs()
	defer logf.FlushLogs()
	ctx := logf.NewContext(ctrl.SetupSignalHandler(), logf.Log, c.Name)
	err := c.read(os.Args[1:])
	if err == nil {
		err = work(ctx)
	}
	if err != nil {
		logf.FlushLogs()
		fmt.Fprintf(os.Stderr, "%s: %v\n", c.Name, err)
		os.Exit(1)
	}
}

func (c *Command) read(args []string) error {
	path := ""
	if c.Load != nil {
		c.Flags.StringVar(&path, "config", "", "configuration file; flags win over it")
	}
	if err := c.parse(args); err != nil {
		return err
	}
	if path != "" {
		if err := c.Load(path); err != nil {
			return fmt.Errorf("configuration file %s: %w", path, err)
		}
		if err := c.parse(args); err != nil {
			return err
		}
	}
	if c.Logging != nil {
		if err := logf.ValidateAndApply(c.Logging); err != nil {
			return fmt.Errorf("logging flags: %w", err)
		}
	}
	ctrl.SetLogger(logf.Log)
	c.logUnknown(args)
	return nil
}

// parse sets flags and, as loading a configuration file may depend on them, feature gates.
func (c *Command) parse(args []string) error {
	if err := c.Flags.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	if c.Gates == nil {
		return nil
	}
	if err := feature.DefaultMutableFeatureGate.SetFromMap(*c.Gates); err != nil {
		return fmt.Errorf("feature gates: %w", err)
	}
	return nil
}

func (c *Command) logUnknown(args []string) {
	for _, arg := range args {
		name, isLong := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		if isLong && name != "" && c.Flags.Lookup(name) == nil {
			logf.Log.Info("ignoring a flag that is not known here", "command", c.Name, "flag", name)
		}
	}
}

// Address is where to listen for an address that was asked for: with the host of --listen-host if it has none, or the
// one that means all. "0" stands for not listening, as upstream.
func (c *Command) Address(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil || c.host == "" || host != "" && host != "0.0.0.0" && host != "::" {
		return address
	}
	return net.JoinHostPort(c.host, port)
}

// Host is where to listen when only a port can be asked for: "" for all addresses.
func (c *Command) Host() string { return c.host }

// RESTConfig is how to reach the API server, as cert-manager-COMPONENT.
func RESTConfig(kubeconfig, component string) (*rest.Config, error) {
	cfg, err := kube.BuildClientConfig("", Kubeconfig(kubeconfig))
	if err != nil {
		return nil, fmt.Errorf("reach the API server: %w", err)
	}
	return util.RestConfigWithUserAgent(cfg, component), nil
}

// LoadFile reads a configuration file and resolves the relative paths in it.
func LoadFile(path string, into configfile.ConfigFile) error {
	loader, err := configfile.NewConfigurationFSLoader(nil, path)
	if err != nil {
		return err
	}
	return loader.Load(into)
}
