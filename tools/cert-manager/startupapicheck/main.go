// Command startupapicheck tells whether cert-manager's API can be used, webhook included:
// `startupapicheck check api [--wait=1m]`. The Helm chart runs it as a Job.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util/cmapichecker"

	"github.com/cert-manager/cert-manager/controlplane/command"
)

func main() {
	cmd := command.New("startupapicheck")
	var kubeconfig string
	cmd.AddKubeconfig(&kubeconfig)
	namespace := cmd.Flags.StringP("namespace", "n", cmp.Or(os.Getenv("POD_NAMESPACE"), "default"), "namespace to try it in; nothing is left there")
	wait := cmd.Flags.Duration("wait", 0, "try for this long (default: once)")
	interval := cmd.Flags.Duration("interval", 5*time.Second, "time between tries")
	verbose := cmd.Flags.BoolP("verbose", "v", false, "tell the whole reason of a failed try")
	cmd.Run(func(ctx context.Context) error {
		if words := cmd.Flags.Args(); !slices.Equal(words, []string{"check", "api"}) {
			return fmt.Errorf("unknown command %q, wanted is: check api", words)
		}
		cfg, err := command.RESTConfig(kubeconfig, "startupapicheck")
		if err != nil {
			return err
		}
		checker, err := cmapichecker.New(cfg, *namespace)
		if err != nil {
			return err
		}
		return check(ctx, checker, *wait, *interval, *verbose)
	})
}

// check tries until it works, or the time is over.
func check(ctx context.Context, checker cmapichecker.Interface, wait, interval time.Duration, verbose bool) error {
	for deadline := time.Now().Add(wait); ; {
		err := checker.Check(ctx)
		if err == nil {
			fmt.Println("the cert-manager API is ready")
			return nil
		}
		if simple := cmapichecker.TranslateToSimpleError(err); simple != nil && !verbose {
			err = simple
		}
		if time.Until(deadline) < interval {
			return fmt.Errorf("the cert-manager API is not ready: %w", err)
		}
		logf.Log.Info("not ready", "reason", err.Error())
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(interval):
		}
	}
}
