package manifest

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// caBundlePaths are the properties, in Pulumi's notation, through which the
// API server learns which certificates to trust when it calls back.
var caBundlePaths = map[string]string{
	"MutatingWebhookConfiguration":   "webhooks[*].clientConfig.caBundle",
	"ValidatingWebhookConfiguration": "webhooks[*].clientConfig.caBundle",
	"CustomResourceDefinition":       "spec.conversion.webhook.clientConfig.caBundle",
	"APIService":                     "spec.caBundle",
}

// injectAnnotations are set on objects whose caBundle a controller fills in.
const injectAnnotations = "cert-manager.io/inject-"

// removeCABundle removes a CA bundle that is empty or that a controller fills
// in at run time: what is written here would fight with it. A webhook is ready
// only when it has been filled in: until then, every call of it fails.
func removeCABundle(o *Object) {
	injected := false
	for key := range o.GetAnnotations() {
		injected = injected || strings.HasPrefix(key, injectAnnotations)
	}
	for _, config := range clientConfigs(o) {
		bundle, _ := config["caBundle"].(string)
		// Cg== is a line break, with which some charts satisfy validation.
		if injected || bundle == "" || bundle == "Cg==" {
			delete(config, "caBundle")
		}
	}
	if injected && len(clientConfigs(o)) > 0 {
		waitForInjection(o)
	}
}

// waitForInjection says when the API server can call what the object registers.
func waitForInjection(o *Object) {
	ready := ""
	switch o.GetKind() {
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		ready = "jsonpath={.webhooks[0].clientConfig.caBundle}"
	case "APIService":
		// The API server calls it by itself to find out.
		ready = "condition=Available"
	default:
		return
	}
	annotations := o.GetAnnotations()
	annotations["pulumi.com/waitFor"] = ready
	o.SetAnnotations(annotations)
}

// ownsCABundle reports whether the object brings a CA bundle of its own.
func ownsCABundle(o *Object) bool {
	for _, config := range clientConfigs(o) {
		if _, ok := config["caBundle"]; ok {
			return true
		}
	}
	return false
}

// clientConfigs returns the maps that may hold a caBundle.
func clientConfigs(o *Object) (configs []map[string]any) {
	add := func(parent map[string]any, path ...string) {
		node, found, err := unstructured.NestedFieldNoCopy(parent, path...)
		if m, ok := node.(map[string]any); found && err == nil && ok {
			configs = append(configs, m)
		}
	}
	switch o.GetKind() {
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		webhooks, _ := o.Object["webhooks"].([]any)
		for _, w := range webhooks {
			if m, ok := w.(map[string]any); ok {
				add(m, "clientConfig")
			}
		}
	case "CustomResourceDefinition":
		add(o.Object, "spec", "conversion", "webhook", "clientConfig")
	case "APIService":
		add(o.Object, "spec")
	}
	return configs
}
