package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	hookAnnotation       = "helm.sh/hook"
	hookWeightAnnotation = "helm.sh/hook-weight"
)

// readHook understands Helm's hook annotations and removes them. It reports
// whether the object belongs to the desired state: hooks for tests, upgrades,
// rollbacks and deletion alone do not.
func readHook(o *Object) (keep bool, err error) {
	annotations := o.GetAnnotations()
	events, ok := annotations[hookAnnotation]
	if !ok {
		return true, nil
	}
	weight := 0
	if w := strings.TrimSpace(annotations[hookWeightAnnotation]); w != "" {
		if weight, err = strconv.Atoi(w); err != nil {
			return false, fmt.Errorf("annotation %s: %q is not a number", hookWeightAnnotation, w)
		}
	}
	for key := range annotations {
		if strings.HasPrefix(key, hookAnnotation) {
			delete(annotations, key)
		}
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	o.SetAnnotations(annotations)

	hook := &Hook{Weight: weight}
	for event := range strings.SplitSeq(events, ",") {
		switch strings.ToLower(strings.TrimSpace(event)) {
		case "crd-install":
			return true, nil
		case "pre-install":
			hook.BeforeInstall = true
			keep = true
		case "post-install":
			keep = true
		}
	}
	o.Hook = hook
	// A Job that removes itself would look like one that somebody deleted.
	unstructured.RemoveNestedField(o.Object, "spec", "ttlSecondsAfterFinished")
	return keep, nil
}
