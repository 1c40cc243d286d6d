package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/internal/render"
)

// RenderOptions say where manifests are written.
type RenderOptions struct {
	// Dir is the directory to write to; required. It is made when it does not exist.
	Dir string
	// Force writes to a directory that holds other files, which stay unless a manifest has the same name.
	Force bool
}

// Rendered tells what has been written.
type Rendered struct {
	// Dir is the directory.
	Dir string `json:"directory"`
	*render.Manifests
}

// Summary is a line for people.
func (r *Rendered) Summary() string {
	return fmt.Sprintf("render %s: %d manifests in %s; to be provided: %d Secrets, %d values of fields, %d other resources (see %s)",
		r.Stack, r.Objects(), r.Dir, len(r.Secrets), len(r.Fields), len(r.NotIncluded), filepath.Join(r.Dir, "README.md"))
}

// Render writes the Kubernetes objects of a stack as YAML, for those who have a cluster follow a Git repository. Two runs of
// one configuration write the same bytes. Secret values are not among them, nor are values that are known only once the stack is up:
// the README that is written beside the manifests says what has to be provided. No cluster, no account and no state is asked, whatever
// else the options say.
func Render(ctx context.Context, o Options, ro RenderOptions) (*Rendered, error) {
	if ro.Dir == "" {
		return nil, usageErrorf("directory: none is named; name one, such as --out manifests")
	}
	if !ro.Force {
		if err := render.CheckDir(ro.Dir); err != nil {
			return nil, refused(err)
		}
	}
	stack, err := describe(ctx, o)
	if err != nil {
		return nil, err
	}
	manifests, err := render.Make(*stack)
	if err != nil {
		return nil, fmt.Errorf("render stack %s: %w", o.Stack, err)
	}
	if err := manifests.Write(ro.Dir, ro.Force); err != nil {
		return nil, refused(err)
	}
	return &Rendered{Dir: ro.Dir, Manifests: manifests}, nil
}

// refused makes of a directory with files of others a fault in what was asked for.
func refused(err error) error {
	var foreign *render.ForeignError
	if errors.As(err, &foreign) {
		return usageErrorf("%w; --force writes there all the same", foreign)
	}
	return err
}

// describe previews a stack that has no state, with nothing to ask.
func describe(ctx context.Context, o Options) (*render.Stack, error) {
	dir, err := os.MkdirTemp("", "platform-render-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	o.Local, o.LocalDir, o.LocalControlPlane, o.Plugins = true, filepath.Join(dir, "none"), nil, PluginsBuiltin
	plan, contents := filepath.Join(dir, "plan.json"), &contentKeys{keys: map[string][]string{}}
	result, err := operate(ctx, o, "preview", func(s *session, ch chan<- events.EngineEvent) error {
		s.stack.Workspace().SetProgram(contents.watch(s.program))
		_, err := s.stack.Preview(ctx, optpreview.EventStreams(ch), optpreview.ProgressStreams(s.engineOutput()...),
			optpreview.SuppressOutputs(), optpreview.SuppressProgress(), optpreview.Parallel(s.Parallel), optpreview.Plan(plan))
		return err
	})
	if err != nil {
		return nil, err
	}
	stack := &render.Stack{Name: o.Stack, Resources: result.resources, Keys: map[string][]string{}}
	for _, r := range stack.Resources {
		if keys := contents.keys[r.Type+" "+r.Name]; keys != nil {
			stack.Keys[r.URN] = keys
		}
	}
	return stack, addEdges(stack, plan)
}

// contentKeys are the keys of Secrets' contents by type and name. Events have contents as a whole, as one secret; which keys
// there are is none, and is seen in the program.
type contentKeys struct {
	mutex sync.Mutex
	keys  map[string][]string
}

const secretType = "kubernetes:core/v1:Secret"

// watch is the program, with an eye on what it registers.
func (c *contentKeys) watch(program pulumi.RunFunc) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		err := ctx.RegisterStackTransformation(func(a *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			if properties, ok := a.Props.(pulumi.Map); ok && a.Type == secretType {
				c.mutex.Lock()
				defer c.mutex.Unlock()
				for _, field := range []string{"data", "stringData"} {
					content, _ := properties[field].(pulumi.Map)
					c.keys[a.Type+" "+a.Name] = slices.AppendSeq(c.keys[a.Type+" "+a.Name], maps.Keys(content))
				}
			}
			return nil
		})
		return errors.Join(err, program(ctx))
	}
}

// addEdges reads from the engine's plan what waits for what, and what Secrets are made of.
func addEdges(stack *render.Stack, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the engine's plan: %w", err)
	}
	var plan apitype.DeploymentPlanV1
	if err := json.Unmarshal(data, &plan); err != nil {
		return fmt.Errorf("read the engine's plan: %w", err)
	}
	stack.Needs, stack.Contents = map[string][]string{}, map[string][]string{}
	for urn, resource := range plan.ResourcePlans {
		if resource.Goal == nil {
			continue
		}
		for _, need := range resource.Goal.Dependencies {
			stack.Needs[string(urn)] = append(stack.Needs[string(urn)], string(need))
		}
		if string(urn.Type()) != secretType {
			continue
		}
		for property, needs := range resource.Goal.PropertyDependencies {
			for _, need := range needs {
				if property == "data" || property == "stringData" {
					stack.Contents[string(urn)] = append(stack.Contents[string(urn)], string(need))
				}
			}
		}
	}
	return nil
}
