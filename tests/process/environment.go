package process

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// environment is a container's variables in order; later ones may refer to earlier ones.
type environment struct {
	names  []string
	values map[string]string
}

func (e *environment) set(name, value string) {
	if _, found := e.values[name]; !found {
		e.names = append(e.names, name)
	}
	e.values[name] = value
}

func (e *environment) value(name string) (string, bool) {
	v, found := e.values[name]
	return v, found
}

// environment resolves the variables of the container.
func (c *Container) environment() (*environment, error) {
	e := &environment{values: map[string]string{}}
	for _, from := range c.Spec.EnvFrom {
		kind, name, optional := "", "", (*bool)(nil)
		switch {
		case from.ConfigMapRef != nil:
			kind, name, optional = "ConfigMap", from.ConfigMapRef.Name, from.ConfigMapRef.Optional
		case from.SecretRef != nil:
			kind, name, optional = "Secret", from.SecretRef.Name, from.SecretRef.Optional
		}
		data, err := c.data(kind, name, optional)
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(data)) {
			e.set(from.Prefix+key, data[key])
		}
	}
	for _, v := range c.Spec.Env {
		if v.ValueFrom == nil {
			e.set(v.Name, expand(v.Value, e.value))
			continue
		}
		value, found, err := c.valueFrom(v.ValueFrom)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		if found {
			e.set(v.Name, value)
		}
	}
	return e, nil
}

func (c *Container) valueFrom(from *corev1.EnvVarSource) (value string, found bool, err error) {
	switch {
	case from.SecretKeyRef != nil:
		r := from.SecretKeyRef
		return c.key("Secret", r.Name, r.Key, r.Optional)
	case from.ConfigMapKeyRef != nil:
		r := from.ConfigMapKeyRef
		return c.key("ConfigMap", r.Name, r.Key, r.Optional)
	case from.FieldRef != nil:
		value, found = map[string]string{
			"metadata.name": c.PodName, "metadata.namespace": c.namespace,
			"status.podIP": c.address, "status.hostIP": c.address, "spec.nodeName": "node",
		}[from.FieldRef.FieldPath]
		if !found {
			return "", false, fmt.Errorf("field %s is not simulated here", from.FieldRef.FieldPath)
		}
		return value, true, nil
	case from.ResourceFieldRef != nil:
		return c.resource(from.ResourceFieldRef)
	}
	return "", false, fmt.Errorf("a source that is not simulated here")
}

func (c *Container) resource(ref *corev1.ResourceFieldSelector) (string, bool, error) {
	lists := map[string]corev1.ResourceList{"limits": c.Spec.Resources.Limits, "requests": c.Spec.Resources.Requests}
	for list, quantities := range lists {
		for name, quantity := range quantities {
			if ref.Resource == list+"."+string(name) && (ref.Divisor.IsZero() || ref.Divisor.Value() == 1) {
				return fmt.Sprint(quantity.Value()), true, nil
			}
		}
	}
	return "", false, fmt.Errorf("resource %s (divisor %s) is not simulated here", ref.Resource, ref.Divisor.String())
}

func (c *Container) key(kind, name, key string, optional *bool) (string, bool, error) {
	data, err := c.data(kind, name, optional)
	if err != nil {
		return "", false, err
	}
	value, found := data[key]
	if !found && (optional == nil || !*optional) {
		return "", false, fmt.Errorf("%s %s has no key %s", kind, name, key)
	}
	return value, found, nil
}

// data is the content of a Secret or ConfigMap of the pod's namespace.
func (c *Container) data(kind, name string, optional *bool) (map[string]string, error) {
	object := c.objects.lookup(kind, c.namespace, name)
	if object == nil {
		if optional != nil && *optional {
			return nil, nil
		}
		return nil, fmt.Errorf("no %s %s in namespace %s", kind, name, c.namespace)
	}
	return content(object)
}
