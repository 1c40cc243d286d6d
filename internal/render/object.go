package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// Annotations with which Argo CD and Flux are told what the engine knows of an object.
const (
	argoOptions = "argocd.argoproj.io/sync-options"
	fluxPrune   = "kustomize.toolkit.fluxcd.io/prune"
	fluxForce   = "kustomize.toolkit.fluxcd.io/force"
)

// adapt takes away what only the engine reads, and says to others what the engine would have done.
func adapt(object *unstructured.Unstructured, protect bool) {
	annotations := object.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool { return strings.HasPrefix(key, "pulumi.com/") })
	if annotations == nil {
		annotations = map[string]string{}
	}
	if protect {
		annotations[argoOptions], annotations[fluxPrune] = "Prune=false,Delete=false", "disabled"
	}
	// The pods of a Job never change, so a changed Job is a new one.
	if object.GetKind() == "Job" {
		annotations[argoOptions], annotations[fluxForce] = "Force=true,Replace=true", "enabled"
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	object.SetAnnotations(annotations)
}

// scaledObjects are those whose number of pods an autoscaler sets. It and whoever applies manifests with a number in them would fight.
func scaledObjects(resources []planned.Resource) map[string]bool {
	scaled := map[string]bool{}
	for _, r := range resources {
		object := r.Object()
		if object == nil || object.GetKind() != "HorizontalPodAutoscaler" {
			continue
		}
		target, _, _ := unstructured.NestedStringMap(object.Object, "spec", "scaleTargetRef")
		scaled[reference(object.GetNamespace(), target["kind"], target["name"])] = true
	}
	return scaled
}

func reference(namespace, kind, name string) string { return namespace + "/" + kind + "/" + name }

// checksums is the prefix of annotations that pods carry so that they are made anew when what they read at their start
// changes. What has no content has no checksum.
const checksums = "controlplane.io/"

// fill puts placeholders where values cannot be shown, and returns where.
func fill(object *unstructured.Unstructured, file string) []Field {
	var fields []Field
	name := object.GetName()
	if namespace := object.GetNamespace(); namespace != "" {
		name = namespace + "/" + name
	}
	var walk func(value any, path string) any
	walk = func(value any, path string) any {
		switch v := value.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if v[key] == planned.Unknown && strings.HasPrefix(key, checksums) && strings.HasSuffix(path, "template.metadata.annotations") {
					delete(v, key)
					continue
				}
				v[key] = walk(v[key], path+step(key))
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i], fmt.Sprintf("%s[%d]", path, i))
			}
		case string:
			if why, concealed := map[string]string{planned.Unknown: "unknown", planned.Secret: "secret"}[v]; concealed {
				fields = append(fields, Field{
					File: file, Object: object.GetKind() + " " + name, Path: strings.TrimPrefix(path, "."), Why: why,
				})
				return Placeholder
			}
		}
		return value
	}
	walk(object.Object, "")
	return fields
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// step is a key as part of a path.
func step(key string) string {
	if plainKey.MatchString(key) {
		return "." + key
	}
	return fmt.Sprintf("[%q]", key)
}

// comment tells at the top of a manifest what has to be filled in.
func comment(fields []Field) string {
	if len(fields) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("# To be filled in:\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "#   %s\n", f.Path)
	}
	return b.String()
}

// contentKeys are the keys of a Secret's content.
func contentKeys(object *unstructured.Unstructured, known []string) []string {
	keys := slices.Clone(known)
	for _, field := range []string{"data", "stringData"} {
		content, _ := object.Object[field].(map[string]any)
		keys = slices.AppendSeq(keys, maps.Keys(content))
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// empty takes the content away from a Secret.
func empty(object *unstructured.Unstructured, keys []string) {
	delete(object.Object, "data")
	content := make(map[string]any, len(keys))
	for _, key := range keys {
		content[key] = Placeholder
	}
	object.Object["stringData"] = content
}
