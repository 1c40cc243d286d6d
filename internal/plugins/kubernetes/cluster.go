package kubernetes

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// discoveryTimeout bounds each question about what the API server is and has: neither a preview nor a cancellation must
// hang on one that does not answer.
const discoveryTimeout = 10 * time.Second

// cluster is a connection to an API server.
type cluster struct {
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
}

// connect returns a connection to an API server that answers.
func connect(config *rest.Config, s *session) (*cluster, error) {
	config.UserAgent = "pulumi-kubernetes/" + Version
	config.WarningHandlerWithContext = warnings{s}

	asking := rest.CopyConfig(config)
	asking.Timeout = discoveryTimeout
	client, err := rest.HTTPClientFor(asking)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	disco, err := discovery.NewDiscoveryClientForConfigAndClient(asking, client)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	if _, err := disco.ServerVersion(); err != nil {
		return nil, fmt.Errorf("the API server at %s does not answer: %w", config.Host, err)
	}
	mapper, err := apiutil.NewDynamicRESTMapper(asking, client)
	if err != nil {
		return nil, fmt.Errorf("read the API groups of %s: %w", config.Host, err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config.Host, err)
	}
	return &cluster{dynamic: objects, mapper: mapper}, nil
}

// client returns the client for an object's kind in its namespace. The answer to whether a kind exists is asked anew
// as long as it is no, so a kind is found as soon as its definition is established.
func (c *cluster) client(obj *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	mapping, err := c.mapping(obj.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.dynamic.Resource(mapping.Resource).Namespace(namespaceOrDefault(obj.GetNamespace())), nil
	}
	return c.dynamic.Resource(mapping.Resource), nil
}

func (c *cluster) mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	return c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
}

func (c *cluster) serves(gvk schema.GroupVersionKind) bool {
	_, err := c.mapping(gvk)
	return err == nil
}

func namespaceOrDefault(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}

// scopes remembers the custom resource definitions of the program, so that the scope of a kind is known before the
// cluster has it.
type scopes struct {
	mu         sync.Mutex
	namespaced map[schema.GroupKind]bool
}

func (s *scopes) learn(crd *unstructured.Unstructured) {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	scope, _, _ := unstructured.NestedString(crd.Object, "spec", "scope")
	if kind == "" || scope == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.namespaced == nil {
		s.namespaced = map[schema.GroupKind]bool{}
	}
	s.namespaced[schema.GroupKind{Group: group, Kind: kind}] = scope == "Namespaced"
}

func (s *scopes) lookup(gk schema.GroupKind) (namespaced, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	namespaced, known = s.namespaced[gk]
	return namespaced, known
}

// namespaced tells whether objects of a kind live in a namespace. A kind that nobody knows yet is taken for
// namespaced; creating the object corrects that.
func (s *session) namespaced(gvk schema.GroupVersionKind) bool {
	if builtin.Recognizes(gvk) {
		return !clusterScoped.Has(gvk.GroupKind().String())
	}
	if namespaced, known := s.scopes.lookup(gvk.GroupKind()); known {
		return namespaced
	}
	if s.cluster != nil {
		if mapping, err := s.cluster.mapping(gvk); err == nil {
			return mapping.Scope.Name() == meta.RESTScopeNameNamespace
		}
	}
	return true
}

// clusterScoped are Kubernetes' own kinds outside of namespaces, so that their scope is known without a cluster.
var clusterScoped = sets.New(
	"ComponentStatus", "Namespace", "Node", "PersistentVolume",
	"MutatingWebhookConfiguration.admissionregistration.k8s.io",
	"ValidatingWebhookConfiguration.admissionregistration.k8s.io",
	"MutatingAdmissionPolicy.admissionregistration.k8s.io",
	"MutatingAdmissionPolicyBinding.admissionregistration.k8s.io",
	"ValidatingAdmissionPolicy.admissionregistration.k8s.io",
	"ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io",
	"CustomResourceDefinition.apiextensions.k8s.io",
	"APIService.apiregistration.k8s.io",
	"SelfSubjectReview.authentication.k8s.io", "TokenReview.authentication.k8s.io",
	"SelfSubjectAccessReview.authorization.k8s.io", "SelfSubjectRulesReview.authorization.k8s.io",
	"SubjectAccessReview.authorization.k8s.io",
	"CertificateSigningRequest.certificates.k8s.io", "ClusterTrustBundle.certificates.k8s.io",
	"FlowSchema.flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io",
	"StorageVersion.internal.apiserver.k8s.io",
	"IPAddress.networking.k8s.io", "IngressClass.networking.k8s.io", "ServiceCIDR.networking.k8s.io",
	"RuntimeClass.node.k8s.io",
	"ClusterRole.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io",
	"DeviceClass.resource.k8s.io", "ResourceSlice.resource.k8s.io",
	"PriorityClass.scheduling.k8s.io",
	"CSIDriver.storage.k8s.io", "CSINode.storage.k8s.io", "StorageClass.storage.k8s.io",
	"VolumeAttachment.storage.k8s.io", "VolumeAttributesClass.storage.k8s.io",
	"StorageVersionMigration.storagemigration.k8s.io",
)

// warnings shows what the API server warns of (unknown fields, deprecated versions) beside the resource.
type warnings struct{ session *session }

type urnKey struct{}

// HandleWarningHeaderWithContext implements [rest.WarningHandlerWithContext].
func (w warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	const deprecatedOrUnknown = 299
	if urn, ok := ctx.Value(urnKey{}).(string); ok && code == deprecatedOrUnknown && text != "" {
		w.session.warn(urn, text)
	}
}
