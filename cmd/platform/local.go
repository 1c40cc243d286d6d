package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/local"
)

func newLocal() *cobra.Command {
	cmd := &cobra.Command{
		Use: "local", Short: "Run a Kubernetes control plane on this machine",
		Long: `A real Kubernetes API server with its controllers and scheduler, and simulated nodes in three zones, on this machine's
loopback interface only. Pods of known images run as processes; the others are simulated.`,
		Example: "  platform local start\n  platform local status",
		Args:    noArguments,
		RunE:    showHelp,
	}
	cmd.AddCommand(newLocalStart(), newLocalStop(), newLocalStatus(), newLocalSupervise())
	return cmd
}

// localOptions adds the flags that say which control plane is meant.
func localOptions(cmd *cobra.Command) *local.Options {
	o := &local.Options{}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "directory of the control plane (default: in the user's cache)")
	return o
}

func newLocalStart() *cobra.Command {
	cmd := &cobra.Command{
		Use: "start", Short: "Start the control plane, or find it running", Args: noArguments,
		Example: "  platform local start\n  platform local start --kubernetes 1.37\n  export KUBECONFIG=$(platform local status --kubeconfig)",
	}
	o := localOptions(cmd)
	cmd.Flags().StringVar(&o.KubernetesVersion, "kubernetes", "", "Kubernetes minor: "+strings.Join(local.KubernetesVersions, " or ")+
		" (default: that of a running one, or "+local.KubernetesVersions[0]+")")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Log = cmd.ErrOrStderr()
		cp, err := local.Start(cmd.Context(), *o)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "the local control plane runs; export KUBECONFIG=%s\n", cp.Kubeconfig)
		return err
	}
	return cmd
}

func newLocalStop() *cobra.Command {
	cmd := &cobra.Command{
		Use: "stop", Short: "Stop the control plane and remove everything it wrote, the state of stacks on it included",
		Example: "  platform local stop", Args: noArguments,
	}
	o := localOptions(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Log = cmd.ErrOrStderr()
		return local.Stop(cmd.Context(), *o)
	}
	return cmd
}

func newLocalStatus() *cobra.Command {
	var asJSON, kubeconfig bool
	cmd := &cobra.Command{
		Use: "status", Short: "Tell whether the control plane runs, and where", Args: noArguments,
		Example: "  platform local status --json",
	}
	o := localOptions(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&kubeconfig, "kubeconfig", false, "print only the kubeconfig's path")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		status, err := local.Status(cmd.Context(), *o)
		if err != nil {
			return err
		}
		switch {
		case asJSON:
			return printJSON(cmd.OutOrStdout(), status)
		case kubeconfig && status.State != local.Running:
			return automation.ErrNotRunning
		case kubeconfig:
			_, err = fmt.Fprintln(cmd.OutOrStdout(), status.Kubeconfig)
			return err
		}
		return printStatus(cmd.OutOrStdout(), status)
	}
	return cmd
}

func printStatus(w io.Writer, r local.Report) error {
	lines := [][2]string{{"state", string(r.State)}, {"directory", r.Dir}}
	if r.State == local.Running {
		lines = append(lines, [2]string{"uptime", r.Uptime}, [2]string{"API server", r.URL},
			[2]string{"Kubernetes", r.KubernetesVersion},
			[2]string{"kubeconfig", r.Kubeconfig},
			[2]string{"nodes", fmt.Sprintf("%d in %s", r.Nodes, strings.Join(r.Zones, ", "))})
	}
	for _, c := range r.Children {
		lines = append(lines, [2]string{c.Name, fmt.Sprintf("pid %d, log %s", c.PID, c.Log)})
	}
	for _, p := range r.Pods {
		lines = append(lines, [2]string{p.Container, fmt.Sprintf("pid %d, pod %s/%s, log %s", p.PID, p.Namespace, p.Name, p.Log)})
	}
	if r.Problem != "" {
		lines = append(lines, [2]string{"problem", r.Problem})
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(w, "%-24s %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

// newLocalSupervise is what start runs in the background.
func newLocalSupervise() *cobra.Command {
	cmd := &cobra.Command{Use: "supervise", Hidden: true, Args: noArguments}
	o := localOptions(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return local.Supervise(cmd.Context(), *o) }
	return cmd
}
