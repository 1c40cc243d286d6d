package manifest

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// clusterScoped lists Kubernetes' kinds without a namespace.
var clusterScoped = map[string]bool{
	"APIService.apiregistration.k8s.io":                         true,
	"CertificateSigningRequest.certificates.k8s.io":             true,
	"CSIDriver.storage.k8s.io":                                  true,
	"CSINode.storage.k8s.io":                                    true,
	"CustomResourceDefinition.apiextensions.k8s.io":             true,
	"FlowSchema.flowcontrol.apiserver.k8s.io":                   true,
	"IngressClass.networking.k8s.io":                            true,
	"MutatingWebhookConfiguration.admissionregistration.k8s.io": true,
	"Namespace":                       true,
	"Node":                            true,
	"PersistentVolume":                true,
	"PriorityClass.scheduling.k8s.io": true,
	"PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io":       true,
	"RuntimeClass.node.k8s.io":                                      true,
	"StorageClass.storage.k8s.io":                                   true,
	"ValidatingAdmissionPolicy.admissionregistration.k8s.io":        true,
	"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io": true,
	"ValidatingWebhookConfiguration.admissionregistration.k8s.io":   true,
	"VolumeAttachment.storage.k8s.io":                               true,
	"Bundle.trust.cert-manager.io":                                  true,
	"GatewayClass.gateway.networking.k8s.io":                        true,
}

// isClusterScoped tells without a cluster whether a kind has no namespace.
// For a custom resource whose CRD is not at hand the name decides: cluster
// variants are called ClusterX by convention.
func isClusterScoped(gk schema.GroupKind) bool {
	return clusterScoped[gk.String()] || strings.HasPrefix(gk.Kind, "Cluster") && len(gk.Kind) > len("Cluster")
}

// definition returns what a CRD defines, and whether it is cluster-scoped.
func definition(crd *Object) (gk schema.GroupKind, clusterScoped bool) {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	scope, _, _ := unstructured.NestedString(crd.Object, "spec", "scope")
	return schema.GroupKind{Group: group, Kind: kind}, scope == "Cluster"
}
