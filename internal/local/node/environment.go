package node

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
)

// invocation returns the arguments and the environment of the container's process, as its image would see them but
// with paths of this machine.
func (c *container) invocation() (args, env []string, err error) {
	variables, err := c.variables()
	if err != nil {
		return nil, nil, err
	}
	paths := c.paths()
	// A command replaces the image's entry point, which its first word names; what follows are arguments.
	if len(c.spec.Command) > 0 {
		args = append(args, c.spec.Command[1:]...)
	}
	args = append(args, c.spec.Args...)
	for i, arg := range args {
		args[i] = paths.rewrite(expand(arg, variables.value))
	}
	for _, arg := range c.image.args {
		args = append(args, paths.rewrite(arg))
	}

	env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + c.pod.dir,
		"TMPDIR=" + filepath.Join(c.pod.dir, "tmp"),
		"HOSTNAME=" + c.pod.key.Name,
	}
	for _, v := range variables {
		env = append(env, v.name+"="+paths.rewrite(v.text))
	}
	credentials, err := c.credentials()
	if err != nil {
		return nil, nil, err
	}
	if credentials != "" {
		env = append(env, "KUBECONFIG="+credentials)
	}
	// Whatever proxy a stack is configured with, here is no way to it.
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		env = append(env, name+"="+c.pod.node.HTTPProxy, strings.ToLower(name)+"="+c.pod.node.HTTPProxy)
	}
	env = append(env, "NO_PROXY=127.0.0.1,localhost,::1", "no_proxy=127.0.0.1,localhost,::1")
	return args, append(env, c.pod.node.Env...), nil
}

// variable is one of a container's environment.
type variable struct{ name, text string }

// variables keep their order, because later ones may refer to earlier ones.
type variables []variable

func (v variables) value(name string) (string, bool) {
	for _, one := range slices.Backward(v) {
		if one.name == name {
			return one.text, true
		}
	}
	return "", false
}

func (c *container) variables() (variables, error) {
	var all variables
	for _, from := range c.spec.EnvFrom {
		values, err := c.pod.node.envFrom(c.pod.key.Namespace, from)
		if err != nil {
			return nil, fmt.Errorf("environment of %s: %w", c.spec.Name, err)
		}
		names := make([]string, 0, len(values))
		for name := range values {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			all = append(all, variable{from.Prefix + name, values[name]})
		}
	}
	for _, v := range c.spec.Env {
		text, set := expand(v.Value, all.value), true
		if v.ValueFrom != nil {
			var err error
			if text, set, err = c.valueFrom(v.ValueFrom); err != nil {
				return nil, fmt.Errorf("environment variable %s of %s: %w", v.Name, c.spec.Name, err)
			}
		}
		if set {
			all = append(all, variable{v.Name, text})
		}
	}
	return all, nil
}

func (n *Node) envFrom(namespace string, from corev1.EnvFromSource) (map[string]string, error) {
	values := map[string]string{}
	switch {
	case from.ConfigMapRef != nil:
		object, err := n.configs.ConfigMaps(namespace).Get(from.ConfigMapRef.Name)
		if err != nil {
			return nil, unlessOptional(err, from.ConfigMapRef.Optional)
		}
		values = object.Data
	case from.SecretRef != nil:
		object, err := n.secrets.Secrets(namespace).Get(from.SecretRef.Name)
		if err != nil {
			return nil, unlessOptional(err, from.SecretRef.Optional)
		}
		for key, value := range object.Data {
			values[key] = string(value)
		}
	}
	return values, nil
}

// unlessOptional returns the error unless it is that of an object that need not exist.
func unlessOptional(err error, optional *bool) error {
	if optional != nil && *optional && apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// valueFrom returns a variable's value, and false when it is optional and there is none.
func (c *container) valueFrom(from *corev1.EnvVarSource) (string, bool, error) {
	namespace := c.pod.key.Namespace
	switch {
	case from.FieldRef != nil:
		text, err := c.pod.field(from.FieldRef.FieldPath)
		return text, true, err
	case from.ResourceFieldRef != nil:
		text, err := c.pod.resource(from.ResourceFieldRef, c.spec.Name)
		return text, true, err
	case from.SecretKeyRef != nil:
		ref := from.SecretKeyRef
		object, err := c.pod.node.secrets.Secrets(namespace).Get(ref.Name)
		if err != nil {
			return "", false, unlessOptional(err, ref.Optional)
		}
		value, found := object.Data[ref.Key]
		return string(value), found, missingKey("secret", ref.Name, ref.Key, found, ref.Optional)
	case from.ConfigMapKeyRef != nil:
		ref := from.ConfigMapKeyRef
		object, err := c.pod.node.configs.ConfigMaps(namespace).Get(ref.Name)
		if err != nil {
			return "", false, unlessOptional(err, ref.Optional)
		}
		value, found := object.Data[ref.Key]
		return value, found, missingKey("configmap", ref.Name, ref.Key, found, ref.Optional)
	}
	return "", false, fmt.Errorf("this kind of source is not supported by the local control plane")
}

func missingKey(kind, name, key string, found bool, optional *bool) error {
	if found || optional != nil && *optional {
		return nil
	}
	return fmt.Errorf("%s %s has no key %q", kind, name, key)
}

// field returns what the downward API offers of the pod.
func (p *pod) field(path string) (string, error) {
	object := p.current()
	if name, key, found := strings.Cut(path, "["); found {
		key = strings.Trim(strings.TrimSuffix(key, "]"), `'"`)
		switch name {
		case "metadata.labels":
			return object.Labels[key], nil
		case "metadata.annotations":
			return object.Annotations[key], nil
		}
	}
	switch path {
	case "metadata.name":
		return object.Name, nil
	case "metadata.namespace":
		return object.Namespace, nil
	case "metadata.uid":
		return string(object.UID), nil
	case "metadata.labels":
		return formatMap(object.Labels), nil
	case "metadata.annotations":
		return formatMap(object.Annotations), nil
	case "spec.nodeName":
		return p.spec.NodeName, nil
	case "spec.serviceAccountName":
		return p.spec.ServiceAccountName, nil
	case "status.podIP", "status.podIPs":
		return p.ip, nil
	case "status.hostIP", "status.hostIPs":
		return p.hostIP(), nil
	}
	return "", fmt.Errorf("field %s of a pod is not available to its containers", path)
}

func formatMap(values map[string]string) string {
	lines := make([]string, 0, len(values))
	for key, value := range values {
		lines = append(lines, key+"="+strconv.Quote(value))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// resource returns a container's request or limit, in units of the divisor. A limit that is not set is what the
// machine has.
func (p *pod) resource(ref *corev1.ResourceFieldSelector, container string) (string, error) {
	if ref.ContainerName != "" {
		container = ref.ContainerName
	}
	at := slices.IndexFunc(p.spec.Containers, func(c corev1.Container) bool { return c.Name == container })
	if at < 0 {
		return "", fmt.Errorf("there is no container %q", container)
	}
	kind, name, _ := strings.Cut(ref.Resource, ".")
	list := p.spec.Containers[at].Resources.Requests
	if kind == "limits" {
		list = p.spec.Containers[at].Resources.Limits
	}
	quantity, set := list[corev1.ResourceName(name)]
	if !set && kind == "limits" {
		node, err := p.node.nodes.Get(p.spec.NodeName)
		if err != nil {
			return "", err
		}
		quantity = node.Status.Allocatable[corev1.ResourceName(name)]
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	if name == string(corev1.ResourceCPU) {
		return strconv.FormatInt(ceil(quantity.MilliValue(), divisor.MilliValue()), 10), nil
	}
	return strconv.FormatInt(ceil(quantity.Value(), divisor.Value()), 10), nil
}

func ceil(value, divisor int64) int64 { return (value + divisor - 1) / divisor }

// expand replaces $(NAME) by the variable's value and $$ by $; what refers to no variable stays as it is.
func expand(text string, value func(string) (string, bool)) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		text = after
		if escaped, isEscape := strings.CutPrefix(text, "$"); isEscape {
			out.WriteString("$")
			text = escaped
			continue
		}
		if name, rest, closed := strings.Cut(text, ")"); closed && strings.HasPrefix(name, "(") {
			if replacement, known := value(name[1:]); known {
				out.WriteString(replacement)
				text = rest
				continue
			}
		}
		out.WriteString("$")
	}
}

// paths are a container's mounts: where it sees a volume, and where that is.
type paths []struct{ mounted, real string }

// paths returns the mounts of the container, those of longer paths first.
func (c *container) paths() paths {
	var all paths
	for _, mount := range c.spec.VolumeMounts {
		all = append(all, struct{ mounted, real string }{
			strings.TrimSuffix(mount.MountPath, "/"),
			filepath.Join(c.pod.volumes.path(mount.Name), mount.SubPath),
		})
	}
	slices.SortStableFunc(all, func(a, b struct{ mounted, real string }) int { return len(b.mounted) - len(a.mounted) })
	return all
}

// rewrite replaces paths of the container by those of this machine, wherever one stands as a whole in the text.
func (p paths) rewrite(text string) string {
	var out strings.Builder
	for at := 0; at < len(text); {
		if at == 0 || strings.IndexByte("=,:;'\" ", text[at-1]) >= 0 {
			if real, length, found := p.match(text[at:]); found {
				out.WriteString(real)
				at += length
				continue
			}
		}
		out.WriteByte(text[at])
		at++
	}
	return out.String()
}

func (p paths) match(text string) (real string, length int, found bool) {
	for _, one := range p {
		rest, begins := strings.CutPrefix(text, one.mounted)
		if begins && one.mounted != "" && (rest == "" || strings.IndexByte("/,:;'\" ", rest[0]) >= 0) {
			return one.real, len(one.mounted), true
		}
	}
	return "", 0, false
}
