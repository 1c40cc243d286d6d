package automation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// A run that is killed leaves things that the state does not know. The engine writes down, as pending, what it is about
// to create; the next operation finds out what became of that before it does anything else. Only on the local control
// plane the state is written at the end alone: there the next up looks at everything that is in the state, and takes over
// what is not.

// beforeSuffix marks the copy of a simulation's file as it was when the last operation began.
const beforeSuffix = ".before"

// simulations are the files of what is only simulated.
func (p *place) simulations() (files []string) {
	if p.account != nil && p.account.StateFile != "" {
		files = append(files, p.account.StateFile)
	}
	if p.realms != nil && p.realms.StateFile != "" {
		files = append(files, p.realms.StateFile)
	}
	return files
}

// remember keeps what is simulated as it is now, and with it the state, for the case that the operation is killed.
func (p *place) remember() error {
	if !p.forgetful {
		return nil
	}
	for _, file := range p.simulations() {
		content, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err == nil {
			err = replaceFile(file+beforeSuffix, content)
		}
		if err != nil {
			return fmt.Errorf("keep what is simulated: %w", err)
		}
	}
	return nil
}

// mark is the file that is there until an up or a destroy has come to its end after a run that was killed.
func (s *session) mark() string { return filepath.Join(s.workDir, s.Stack+".interrupted") }

// interrupt notes that a run was killed, also for the operations after one that fails.
func (s *session) interrupt() error {
	s.interrupted.Store(true)
	if err := replaceFile(s.mark(), nil); err != nil {
		return fmt.Errorf("note that a run was killed: %w", err)
	}
	return nil
}

// completed forgets that a run was killed, once everything that it may have made is in the state.
func (s *session) completed() error {
	if err := os.Remove(s.mark()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget that a run was killed: %w", err)
	}
	return nil
}

// resume makes ready to go on after a run that was killed. What is simulated goes back to what the state knows.
func (s *session) resume() error {
	s.released = true
	if err := s.interrupt(); err != nil {
		return err
	}
	if !s.forgetful {
		return nil
	}
	for _, file := range s.simulations() {
		before, err := os.ReadFile(file + beforeSuffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err == nil && len(before) == 0:
			err = os.Remove(file)
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
		case err == nil:
			err = replaceFile(file, before)
		}
		if err != nil {
			return fmt.Errorf("go back to what was simulated: %w", err)
		}
	}
	return nil
}

// deployment is a state as the engine exports it, secrets encrypted; what is of no interest here stays as it is.
type deployment struct {
	whole, inner map[string]json.RawMessage
	resources    []json.RawMessage
	pending      []pendingOperation
}

type pendingOperation struct {
	Type     string         `json:"type"`
	Resource map[string]any `json:"resource"`
}

func (o pendingOperation) urn() resource.URN {
	text, _ := o.Resource["urn"].(string)
	return resource.URN(text)
}

// settle finds out what became of what an earlier run was about to create when it was killed. Objects get into the
// state, and a refresh sees which of them exist. Passwords and the like are made anew.
func (s *session) settle(ctx context.Context) error {
	if s.Local && !s.interrupted.Load() {
		return nil
	}
	d, err := s.export(ctx)
	if err != nil || len(d.pending) == 0 {
		return err
	}
	// A run that is alive has written down the same. Once it is known that none is, what it has left is read anew.
	if !s.released {
		if err := s.refuseLocked(ctx); err != nil {
			return err
		}
		if d, err = s.export(ctx); err != nil || len(d.pending) == 0 {
			return err
		}
	}
	if err := s.interrupt(); err != nil {
		return err
	}
	var unknown, found []string
	for _, o := range d.pending {
		urn := o.urn()
		switch {
		case o.Type != "creating" || d.has(urn):
		case objectID(o) != "":
			o.Resource["id"], o.Resource["outputs"] = objectID(o), map[string]any{}
			raw, err := json.Marshal(o.Resource)
			if err != nil {
				return fmt.Errorf("settle %s: %w", urn.Name(), err)
			}
			d.resources = append(d.resources, raw)
			found = append(found, string(urn))
		case s.lost(urn):
			unknown = append(unknown, fmt.Sprintf("%s %s\n    %s", urn.Type(), urn.Name(), urn))
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("an earlier run of stack %s was killed while it created these, and only a person can tell whether they exist:\n"+
			"  %s\ndelete what exists, or take it into the state with `pulumi import`; then run `pulumi refresh --clear-pending-creates` "+
			"and try again. That command finds the stack after:\n  %s", s.Stack, strings.Join(unknown, "\n  "), s.forPulumi())
	}
	fmt.Fprintf(s.Progress, "an earlier run was killed at work on %d resources; finding out what became of them\n", len(d.pending))
	if err := s.replaceState(ctx, d); err != nil || len(found) == 0 {
		return err
	}
	if _, err := s.stack.Refresh(ctx, optrefresh.Target(found), optrefresh.SuppressProgress(), optrefresh.SuppressOutputs(),
		optrefresh.ProgressStreams(s.engineOutput()...)); err != nil {
		return fmt.Errorf("find out what an earlier run of stack %s has made: %w", s.Stack, err)
	}
	return nil
}

// refuseLocked fails when another operation works on the stack. Only what would lock it finds that out: a refresh of nothing
// but the stack itself, which asks no plugin. Where that fails for another reason, so does what comes next.
func (s *session) refuseLocked(ctx context.Context) error {
	project, err := s.stack.Workspace().ProjectSettings(ctx)
	if err != nil {
		return fmt.Errorf("read the project's settings: %w", err)
	}
	root := resource.DefaultRootStackURN(tokens.QName(s.Stack), project.Name)
	_, err = s.stack.Refresh(ctx, optrefresh.Target([]string{string(root)}), optrefresh.SuppressProgress(), optrefresh.SuppressOutputs())
	if lockConflict(s.Stack, err) != nil {
		return err
	}
	return nil
}

// forPulumi is what a shell runs for the plain pulumi command to find the stack.
func (s *session) forPulumi() string {
	line := "cd " + s.workDir
	for _, key := range []string{"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE_FILE"} {
		if value := s.env[key]; value != "" {
			line += " && export " + key + "=" + value
		}
	}
	return line + " && pulumi stack select " + s.Stack
}

// lost tells whether a resource whose creation was interrupted may exist where only a person finds it. Random values
// exist in the state alone, realms are taken over by their names, patches change what others own, and the simulated
// account costs nobody anything.
func (s *session) lost(urn resource.URN) bool {
	kind, _, _ := strings.Cut(string(urn.Type()), ":")
	switch kind {
	case "random", "kubernetes", "pulumi":
		return false
	case "keycloak":
		return s.Plugins != PluginsBuiltin
	}
	return !s.Local
}

// objectID is the ID of a Kubernetes object with a name of its own; empty for anything else.
func objectID(o pendingOperation) string {
	kind := string(o.urn().Type())
	if !strings.HasPrefix(kind, "kubernetes:") || strings.HasSuffix(kind, "Patch") {
		return ""
	}
	inputs, _ := o.Resource["inputs"].(map[string]any)
	metadata, _ := inputs["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if namespace, _ := metadata["namespace"].(string); namespace != "" && name != "" {
		return namespace + "/" + name
	}
	return name
}

// has tells whether the state has a resource.
func (d *deployment) has(urn resource.URN) bool {
	return slices.ContainsFunc(d.resources, func(raw json.RawMessage) bool {
		var r struct {
			URN resource.URN `json:"urn"`
		}
		return json.Unmarshal(raw, &r) == nil && r.URN == urn
	})
}

// export reads the stack's state. Unlike the Automation API's, it does not decrypt it.
func (s *session) export(ctx context.Context) (*deployment, error) {
	text, err := reading(ctx, pause, func() (string, error) { return s.pulumi(ctx, nil, "stack", "export") })
	if err != nil {
		return nil, fmt.Errorf("read the state of stack %s: %w", s.Stack, err)
	}
	d := &deployment{}
	err = json.Unmarshal([]byte(text), &d.whole)
	if inner, there := d.whole["deployment"]; err == nil && there {
		err = json.Unmarshal(inner, &d.inner)
	}
	for key, into := range map[string]any{"resources": &d.resources, "pending_operations": &d.pending} {
		if raw, there := d.inner[key]; err == nil && there {
			err = json.Unmarshal(raw, into)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of stack %s: %w", s.Stack, err)
	}
	return d, nil
}

// replaceState writes a state back, without pending operations.
func (s *session) replaceState(ctx context.Context, d *deployment) (err error) {
	delete(d.inner, "pending_operations")
	if d.inner["resources"], err = json.Marshal(d.resources); err != nil {
		return fmt.Errorf("write the state of stack %s: %w", s.Stack, err)
	}
	if d.whole["deployment"], err = json.Marshal(d.inner); err != nil {
		return fmt.Errorf("write the state of stack %s: %w", s.Stack, err)
	}
	text, err := json.Marshal(d.whole)
	if err != nil {
		return fmt.Errorf("write the state of stack %s: %w", s.Stack, err)
	}
	if _, err := s.pulumi(ctx, bytes.NewReader(text), "stack", "import"); err != nil {
		return fmt.Errorf("write the state of stack %s: %w", s.Stack, err)
	}
	return nil
}

// pulumi runs a command of the engine that the Automation API does not have.
func (s *session) pulumi(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	var env []string
	for key, value := range s.env {
		env = append(env, key+"="+value)
	}
	if s.home != "" {
		env = append(env, "PULUMI_HOME="+s.home)
	}
	stdout, stderr, _, err := s.stack.Workspace().PulumiCommand().Run(ctx, s.workDir, stdin, nil, nil, env,
		append(args, "--stack", s.Stack)...)
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, stderr) // all of it: who has locked the stack is in it
	}
	return stdout, nil
}
