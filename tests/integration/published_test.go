package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/telekom/controlplane-infrastructure/components/cluster"
	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

// TestMain fails at once where the published plugins are wanted and cannot be had.
func TestMain(m *testing.M) {
	if published {
		if err := installPublished(); err != nil {
			fmt.Fprintln(os.Stderr, "PLUGINS=published needs the published plugins, and they are neither installed nor to be downloaded "+
				"from here; without PLUGINS the same tests run with the built-in ones.\n"+err.Error())
			os.Exit(1)
		}
	}
	// All stacks have one passphrase, and none shall find a cluster by the environment.
	for name, value := range map[string]string{"PULUMI_CONFIG_PASSPHRASE": passphrase, "KUBECONFIG": os.DevNull} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func installPublished() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	root, err := tools.PulumiRoot(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "bin", "pulumi"), "plugin", "install", "resource", "kubernetes", cluster.PluginVersion)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}
