package policy

import (
	"fmt"

	"k8s.io/pod-security-admission/api"

	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// podSecurity holds namespaces and pods to the level restricted, or to that of the exceptions of package workload, by the
// checks of the API server. Pods that an operator makes are held to it by the API server alone, through their namespace.
func podSecurity(_ *stack, r *resource) []breach {
	switch {
	case r.undecoded != nil:
		return []breach{{message: "its pods cannot be judged: " + r.undecoded.Error()}}
	case r.is("Namespace"):
		return namespaceSecurity(r)
	case r.object == nil:
		return nil
	}
	if err := workload.CheckRestricted(r.object); err != nil {
		return []breach{{message: err.Error()}}
	}
	return nil
}

func namespaceSecurity(r *resource) []breach {
	want := api.LevelRestricted
	if e, found := workload.Exceptions()[r.object.GetName()]; found {
		want = e.Level
	}
	if got := r.object.GetLabels()[api.EnforceLevelLabel]; got != string(want) {
		return []breach{{message: fmt.Sprintf("the label %s is %q: it must be %q", api.EnforceLevelLabel, got, want)}}
	}
	return nil
}
