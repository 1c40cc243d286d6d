// Package render writes the Kubernetes objects of a stack as files, for those who have a cluster follow a Git repository
// instead of running the stack against it. A stack's resources go in, files come out; nothing is asked and nothing is run.
//
// Each component of the stack has a directory, resource definitions have one of their own, and every directory is a
// kustomization. Secrets are templates beside that, without values; what the objects cannot say is in a README.
package render

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// Placeholder stands in a manifest for a value that is secret or not known before the stack is up.
const Placeholder = "REPLACE-ME"

const (
	// definitions is the directory of custom resource definitions, which come before everything else.
	definitions = "crds"
	// secrets is the directory, within that of a component, of templates that no kustomization includes.
	secrets = "secrets"
	// unassigned is the directory of objects that belong to no component.
	unassigned = "other"
)

// Stack is what is rendered.
type Stack struct {
	Name string
	// Resources are all that the stack describes.
	Resources []planned.Resource
	// Needs are, by URN, the URNs of what a resource waits for.
	Needs map[string][]string
	// Contents are, by the URN of a Secret, the URNs of what its content is made of, such as passwords.
	Contents map[string][]string
	// Keys are, by the URN of a Secret, the keys of its content where the resource itself conceals them.
	Keys map[string][]string
}

// Manifests are the files of a stack and what there is to say about them.
type Manifests struct {
	// Stack is its name.
	Stack string `json:"stack"`
	// Definitions counts the custom resource definitions, which are in the directory crds.
	Definitions int `json:"definitions"`
	// Components are in an order in which they can be applied.
	Components []Component `json:"components"`
	// Secrets are the templates that whoever applies the manifests has to replace by real Secrets.
	Secrets []Secret `json:"secrets"`
	// Fields are those of other objects that have to be filled in.
	Fields []Field `json:"fields"`
	// NotIncluded are the resources of the stack that are no Kubernetes objects.
	NotIncluded []Resource `json:"notIncluded"`

	files map[string][]byte
}

// Component is a component of the stack with objects of its own; its name is that of its directory.
type Component struct {
	Name string `json:"name"`
	// Wave is the same for components that can be applied at the same time, and greater than that of those in After.
	Wave int `json:"wave"`
	// After are the components that have to be there before; those that these need in turn are left out.
	After []string `json:"after"`
	// Objects counts the manifests, without Secrets.
	Objects int `json:"objects"`
}

// Secret is a Secret that is not in the manifests.
type Secret struct {
	Component string `json:"component"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// File is its template.
	File string `json:"file"`
	// Keys are those of its content.
	Keys []string `json:"keys"`
	// MadeOf names the resources that its content has to agree with, such as a password that other Secrets hold, too.
	MadeOf []string `json:"madeOf,omitempty"`
}

// Field is a field without its value.
type Field struct {
	File string `json:"file"`
	// Object is the kind and the name, as in Deployment identity/iris.
	Object string `json:"object"`
	// Path leads to it, as in spec.template.metadata.annotations["example.com/role"].
	Path string `json:"path"`
	// Why is unknown, for what is known once something else has been created, or secret.
	Why string `json:"why"`
}

// Resource is a resource that is no Kubernetes object.
type Resource struct {
	Component string `json:"component"`
	Type      string `json:"type"`
	Name      string `json:"name"`
}

// Files are the paths of all files, with slashes.
func (m *Manifests) Files() []string { return slices.Sorted(maps.Keys(m.files)) }

// Objects counts the manifests that the kustomizations include.
func (m *Manifests) Objects() int {
	n := m.Definitions
	for _, c := range m.Components {
		n += c.Objects
	}
	return n
}

// Content is what the file at the path holds; nil when there is no such file.
func (m *Manifests) Content(path string) []byte { return m.files[path] }

// Make renders a stack. The result depends on nothing but the stack, whatever order its resources come in.
func Make(s Stack) (*Manifests, error) {
	components, err := order(s)
	if err != nil {
		return nil, err
	}
	m := &Manifests{
		Stack: s.Name, Secrets: []Secret{}, Fields: []Field{}, NotIncluded: []Resource{}, Components: []Component{},
		files: map[string][]byte{},
	}
	names := map[string]string{}
	for _, r := range s.Resources {
		names[r.URN] = r.Name
	}
	included := map[string][]string{} // by directory
	scaled := scaledObjects(s.Resources)
	for _, r := range sorted(s.Resources) {
		object := r.Object()
		if object == nil {
			m.leaveOut(r)
			continue
		}
		if object.GetKind() == "Secret" && object.GetAPIVersion() == "v1" {
			err = m.addSecret(r, object, s, names)
		} else {
			if scaled[reference(object.GetNamespace(), object.GetKind(), object.GetName())] {
				unstructured.RemoveNestedField(object.Object, "spec", "replicas")
			}
			err = m.addObject(r, object, included)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Type, r.Name, err)
		}
	}
	m.Definitions = len(included[definitions])
	return m, m.finish(components, included)
}

// sorted are the resources by component, kind and name.
func sorted(resources []planned.Resource) []planned.Resource {
	return slices.SortedFunc(slices.Values(resources), func(a, b planned.Resource) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.URN, b.URN))
	})
}

// leaveOut notes what is no Kubernetes object. Components and providers are nothing by themselves.
func (m *Manifests) leaveOut(r planned.Resource) {
	if !strings.HasPrefix(r.Type, "controlplane:") && !strings.HasPrefix(r.Type, "pulumi:") {
		m.NotIncluded = append(m.NotIncluded, Resource{Component: r.Component, Type: r.Type, Name: r.Name})
	}
}

func (m *Manifests) addObject(r planned.Resource, object *unstructured.Unstructured, included map[string][]string) error {
	dir, name := directory(r), filename(object)
	if object.GetKind() == "CustomResourceDefinition" {
		dir, name = definitions, object.GetName()+".yaml"
	}
	file := path.Join(dir, name)
	adapt(object, r.Protect)
	fields := fill(object, file)
	if err := m.add(file, comment(fields), object); err != nil {
		return err
	}
	m.Fields = append(m.Fields, fields...)
	included[dir] = append(included[dir], name)
	return nil
}

func (m *Manifests) addSecret(r planned.Resource, object *unstructured.Unstructured, s Stack, names map[string]string) error {
	secret := Secret{
		Component: directory(r), Namespace: object.GetNamespace(), Name: object.GetName(), Keys: contentKeys(object, s.Keys[r.URN]),
		File: path.Join(directory(r), secrets, filename(object)),
	}
	for _, urn := range s.Contents[r.URN] {
		secret.MadeOf = append(secret.MadeOf, names[urn])
	}
	slices.Sort(secret.MadeOf)
	adapt(object, r.Protect)
	empty(object, secret.Keys)
	m.Secrets = append(m.Secrets, secret)
	return m.add(secret.File, "# A template, which no kustomization includes: see README.md.\n", object)
}

// add adds the manifest of an object.
func (m *Manifests) add(file, head string, object *unstructured.Unstructured) error {
	if m.files[file] != nil {
		return fmt.Errorf("file %s would hold a second object", file)
	}
	data, err := yaml.Marshal(object.Object)
	if err != nil {
		return err
	}
	m.files[file] = append([]byte(head), data...)
	return nil
}

// finish adds what holds the manifests together.
func (m *Manifests) finish(components []Component, included map[string][]string) error {
	if objects := included[definitions]; len(objects) > 0 {
		if err := m.kustomization(definitions, objects, 0); err != nil {
			return err
		}
	}
	for _, c := range components {
		c.Objects = len(included[c.Name])
		if c.Objects == 0 {
			continue
		}
		m.Components = append(m.Components, c)
		if err := m.kustomization(c.Name, included[c.Name], c.Wave); err != nil {
			return err
		}
	}
	if err := m.topKustomization(); err != nil {
		return err
	}
	return m.readme()
}

func directory(r planned.Resource) string { return cmp.Or(r.Component, unassigned) }

// filename joins kind, namespace and name with what none of them has in it.
func filename(object *unstructured.Unstructured) string {
	parts := []string{strings.ToLower(object.GetKind())}
	if namespace := object.GetNamespace(); namespace != "" {
		parts = append(parts, namespace)
	}
	// Colons, which names of roles may have, are no good in names of files.
	return strings.ReplaceAll(strings.Join(append(parts, object.GetName()), "_"), ":", "-") + ".yaml"
}
