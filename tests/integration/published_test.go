package integration

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
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
	if err := waitTogether(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// waitTogether has one test more run at a time than there are processors, unless -parallel says how many: half of the
// time of each is spent on waiting.
func waitTogether() error {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(runtime.GOMAXPROCS(0)+1))
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
