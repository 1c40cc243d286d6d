package process

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

// Spec says which container to run and how this machine stands in for the cluster.
type Spec struct {
	// Workload is the Deployment, StatefulSet or Job, as kind/name.
	Workload string
	// Container is its name; empty: the pod's only one. Init containers have names too.
	Container string
	// Ordinal tells the pods of a workload apart.
	Ordinal int
	// Dir is the pod's directory. What lies below scratch dies with a pod; what lies below claims stays.
	Dir string
	// Address is the pod's address, such as 127.0.1.10.
	Address string
	// Replace are texts and what stands for them: old, new, old, new. They apply to the command, the variables and
	// mounted text, such as host names that are to be addresses.
	Replace []string
	// Programs are the binaries by the word that names them, in a command or in a script. The empty word is the entry
	// point of the image, for containers without a command.
	Programs map[string]string
	// Env are variables besides those that are rendered, such as KUBECONFIG for what finds the API server by itself in a
	// cluster. They are taken as they are.
	Env map[string]string
}

// Container is a container of a rendered workload on this machine.
type Container struct {
	// Spec is as rendered.
	Spec corev1.Container
	// PodName is the pod's name, Dir its directory.
	PodName, Dir string
	// GraceSeconds is how long the pod may take to end.
	GraceSeconds int64

	objects            *Objects
	namespace, address string
	pod                corev1.PodSpec
	claims             []string // names of a StatefulSet's claim templates
	replace            []string
	programs           map[string]string
	env                map[string]string
}

// Programs finds tools of the project by name, for Spec.Programs.
func Programs(t *testing.T, names ...string) map[string]string {
	t.Helper()
	paths, err := tools.Build(t.Context(), names...)
	require.NoError(t, err)
	return paths
}

// Container prepares a container without starting it.
func (o *Objects) Container(s Spec) (*Container, error) {
	kind, name, _ := strings.Cut(s.Workload, "/")
	object := o.lookup(kind, "", name)
	if object == nil {
		return nil, fmt.Errorf("no %s", s.Workload)
	}
	c := &Container{
		PodName: fmt.Sprintf("%s-%d", name, s.Ordinal), Dir: s.Dir, objects: o,
		namespace: object.GetNamespace(), address: s.Address, replace: s.Replace, programs: s.Programs,
		env: s.Env,
	}
	if err := c.readPod(object); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Workload, err)
	}
	if err := c.choose(s.Container); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Workload, err)
	}
	return c, nil
}

// readPod decodes the pod of a workload.
func (c *Container) readPod(o *Object) error {
	decode := func(into any) error {
		return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true)
	}
	switch o.GetKind() {
	case "Deployment":
		d := &appsv1.Deployment{}
		if err := decode(d); err != nil {
			return err
		}
		c.pod = d.Spec.Template.Spec
	case "StatefulSet":
		s := &appsv1.StatefulSet{}
		if err := decode(s); err != nil {
			return err
		}
		c.pod = s.Spec.Template.Spec
		for _, claim := range s.Spec.VolumeClaimTemplates {
			c.claims = append(c.claims, claim.Name)
		}
	case "Job":
		j := &batchv1.Job{}
		if err := decode(j); err != nil {
			return err
		}
		c.pod = j.Spec.Template.Spec
	default:
		return fmt.Errorf("kind %q is none of Deployment, StatefulSet, Job", o.GetKind())
	}
	c.GraceSeconds = corev1.DefaultTerminationGracePeriodSeconds
	if c.pod.TerminationGracePeriodSeconds != nil {
		c.GraceSeconds = *c.pod.TerminationGracePeriodSeconds
	}
	return nil
}

// choose finds the container by name.
func (c *Container) choose(name string) error {
	all := slices.Concat(c.pod.InitContainers, c.pod.Containers)
	if name == "" && len(c.pod.Containers) == 1 {
		c.Spec = c.pod.Containers[0]
		return nil
	}
	var names []string
	for _, one := range all {
		if one.Name == name {
			c.Spec = one
			return nil
		}
		names = append(names, one.Name)
	}
	return fmt.Errorf("no container %q; there are %s", name, strings.Join(names, ", "))
}

// invocation is a container's command as this machine runs it.
type invocation struct {
	program string
	args    []string
	env     []string
	rewrite *rewriter
}

// prepare writes the volumes and resolves the command. An empty command is the container's own.
func (c *Container) prepare(command []string) (*invocation, error) {
	mounts, err := c.mountPoints()
	if err != nil {
		return nil, err
	}
	i := &invocation{rewrite: newRewriter(c.replace, mounts)}
	if err := c.populate(i.rewrite); err != nil {
		return nil, err
	}
	if i.env, err = c.resolve(i, command); err != nil {
		return nil, err
	}
	return i, nil
}

// resolve fills in program and arguments and returns the environment.
func (c *Container) resolve(i *invocation, command []string) ([]string, error) {
	bin, err := c.link()
	if err != nil {
		return nil, err
	}
	e, err := c.environment()
	if err != nil {
		return nil, err
	}
	words := command
	if len(words) == 0 {
		words = append(slices.Clone(c.Spec.Command), c.Spec.Args...)
		if len(c.Spec.Command) == 0 {
			words = append([]string{""}, words...)
		}
		for n, word := range words {
			words[n] = expand(word, e.value)
		}
	}
	if i.program = words[0]; c.programs[words[0]] != "" {
		i.program = c.programs[words[0]]
	} else if words[0] == "" {
		return nil, errors.New("no command, and no program stands for the image's entry point")
	} else {
		i.program = i.rewrite.rewrite(words[0])
	}
	for _, word := range words[1:] {
		i.args = append(i.args, i.rewrite.rewrite(word))
	}
	env := []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + c.Dir, "TMPDIR=" + c.Dir, "HOSTNAME=" + c.PodName,
	}
	for _, name := range e.names {
		env = append(env, name+"="+i.rewrite.rewrite(e.values[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(c.env)) {
		env = append(env, name+"="+c.env[name])
	}
	return env, nil
}

// link makes a directory in which scripts find the programs by name.
func (c *Container) link() (string, error) {
	bin := filepath.Join(c.Dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(c.programs)) {
		if name == "" || strings.Contains(name, "/") {
			continue
		}
		link := filepath.Join(bin, name)
		if target, err := os.Readlink(link); err == nil && target == c.programs[name] {
			continue
		}
		if err := os.Symlink(c.programs[name], link); err != nil {
			return "", err
		}
	}
	return bin, nil
}
