package stacks

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// footprintOutput is the output that says what of the stack cannot be undone.
	footprintOutput = "footprint"
	// readStackOutputs is a function of the engine's own.
	readStackOutputs = "pulumi:pulumi:readStackOutputs"
)

// checkFootprint refuses what cannot follow on what the stack is now, such as a smaller volume, before anything is
// changed. The engine itself would find out in the middle of an update, or never.
func (s *stack) checkFootprint() error {
	outputs, err := previousOutputs(s.ctx)
	if err != nil {
		return err
	}
	previous := map[string]string{}
	if footprint, ok := outputs[footprintOutput].(map[string]any); ok {
		for key, value := range footprint {
			previous[key] = fmt.Sprint(value)
		}
	}
	if err := s.cfg.CheckFootprint(previous); err != nil {
		return fmt.Errorf("stack %s cannot be changed so:\n%w", s.ctx.Stack(), err)
	}
	return nil
}

// previousOutputs are the outputs of this stack's last run, with secrets in the clear; none before the first run.
func previousOutputs(ctx *pulumi.Context) (map[string]any, error) {
	args := struct {
		Name string `pulumi:"name"`
	}{strings.Join([]string{ctx.Organization(), ctx.Project(), ctx.Stack()}, "/")}
	var result struct {
		Outputs map[string]any `pulumi:"outputs"`
	}
	// Some of them are secret, which Invoke would not accept.
	if _, err := ctx.InvokePackageRaw(readStackOutputs, &args, &result, ""); err != nil {
		return nil, fmt.Errorf("read what the stack's last run has left: %w", err)
	}
	return result.Outputs, nil
}
