package render

import (
	"fmt"
	"path"
	"slices"

	"sigs.k8s.io/yaml"
)

const kustomizationFile = "kustomization.yaml"

// kustomization is the part of kustomize's format that is used.
type kustomization struct {
	APIVersion   string            `json:"apiVersion"`
	Kind         string            `json:"kind"`
	Resources    []string          `json:"resources"`
	SortOptions  map[string]string `json:"sortOptions,omitempty"`
	Transformers []string          `json:"transformers,omitempty"`
}

// wave has Argo CD apply what is in a directory after what is in those of lower waves. It is said once, here, rather than in
// each manifest, and of the objects alone, as the annotations that kustomize adds by itself would be on pods as well.
const wave = `apiVersion: builtin
kind: AnnotationsTransformer
metadata:
  name: sync-wave
annotations:
  argocd.argoproj.io/sync-wave: "%d"
fieldSpecs:
  - path: metadata/annotations
    create: true
`

func (m *Manifests) kustomization(dir string, objects []string, number int) error {
	return m.addKustomization(dir, kustomization{
		Resources: slices.Sorted(slices.Values(objects)), Transformers: []string{fmt.Sprintf(wave, number)},
	})
}

// topKustomization includes all directories. What kustomize calls the legacy order has namespaces first and webhooks last.
func (m *Manifests) topKustomization() error {
	top := kustomization{SortOptions: map[string]string{"order": "legacy"}}
	if m.Definitions > 0 {
		top.Resources = append(top.Resources, definitions)
	}
	for _, c := range m.Components {
		top.Resources = append(top.Resources, c.Name)
	}
	return m.addKustomization(".", top)
}

func (m *Manifests) addKustomization(dir string, k kustomization) error {
	k.APIVersion, k.Kind = "kustomize.config.k8s.io/v1beta1", "Kustomization"
	data, err := yaml.Marshal(k)
	if err != nil {
		return fmt.Errorf("kustomization of %s: %w", dir, err)
	}
	m.files[path.Join(dir, kustomizationFile)] = data
	return nil
}
