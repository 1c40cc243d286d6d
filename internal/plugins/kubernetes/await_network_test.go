package kubernetes

import (
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func balancer(namespace, name string, annotations doc) doc {
	return doc{
		"apiVersion": "v1", "kind": "Service",
		"metadata": doc{"namespace": namespace, "name": name, "annotations": annotations},
		"spec": doc{
			"type": "LoadBalancer", "selector": doc{"app": "web"}, "externalTrafficPolicy": "Local",
			"ports": []any{doc{"name": "https", "port": 443, "targetPort": "https"}},
		},
	}
}

func TestLoadBalancerIsWaitedFor(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("balanced")
	service := balancer(ns, "entry", nil)

	preview, err := e.client.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn: urnOf(service, "entry"), Properties: e.check(urnOf(service, "entry"), nil, service), Preview: true,
	})
	require.NoError(t, err)
	planned, err := decode(preview.GetProperties())
	require.NoError(t, err)
	assert.NotContains(t, planned, "status", "a preview does not know the address")

	e.create("web", deployment(ns, "web", 1, "example.org/web:1"))
	m := e.create("entry", service)
	given := e.outputs(m)["status"].ObjectValue()["loadBalancer"].ObjectValue()["ingress"].ArrayValue()
	require.Len(t, given, 1)
	assert.True(t, strings.HasPrefix(given[0].ObjectValue()["ip"].StringValue(), "192.0.2."), "the program can use it at once: %v", given)
	assert.Empty(t, paths(e.diff(m, balancer(ns, "entry", nil))))
	assert.Empty(t, paths(e.refresh(m)), "neither the address nor what the API server adds is drift")

	internal := balancer(ns, "entry", nil)
	internal["spec"] = doc{"selector": doc{"app": "web"}, "ports": internal["spec"].(doc)["ports"]}
	e.update(m, internal)
	assert.NotContains(t, e.outputs(m)["status"].ObjectValue()["loadBalancer"].ObjectValue(), "ingress")
	e.update(m, balancer(ns, "entry", nil))
	assert.NotEmpty(t, e.outputs(m)["status"].ObjectValue()["loadBalancer"].ObjectValue()["ingress"].ArrayValue(),
		"an update waits as well")
	e.drop(m)
	_, err = objects(t, "services", "v1").Namespace(ns).Get(t.Context(), "entry", metav1.GetOptions{})
	assert.True(t, isGone(err), "%v", err)
}

func TestUnreadyServiceSaysWhy(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("unserved")
	e.create("web", change(deploymentOn(ns, "web", doc{"no": "such-node"}), doc{annotationSkipAwait: "true"}, "metadata", "annotations"))
	m, err := e.tryCreate("entry", balancer(ns, "entry", doc{annotationTimeout: "2"}))
	detail := initError(err)
	require.NotNil(t, detail, "the object exists and is recorded: %v", err)
	assert.ErrorContains(t, err, "timed out after 2s waiting for it to be ready: Service does not target any Pods")
	assert.Contains(t, strings.Join(detail.GetReasons(), "\n"), "Unschedulable", "what is wrong with the pods")
	e.drop(m)

	start := time.Now()
	e.create("later", balancer(ns, "later", doc{annotationSkipAwait: "true"}))
	inTime(t, start, 2*time.Second)
}

// No load balancer of the local control plane stays without an address, so this asks about one that does.
func TestMissingAddressIsNamedBesideMissingPods(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("unaddressed")
	c, err := connect(real.REST(), newSession(t.Context()))
	require.NoError(t, err)
	service := &unstructured.Unstructured{Object: balancer(ns, "entry", nil)}
	v, err := judgeService(t.Context(), c, service)
	require.NoError(t, err)
	assert.False(t, v.ready)
	assert.Regexp(t, `^Service does not target any Pods\..*; Service was not allocated an IP address`, v.message)

	service.Object = change(service.Object, nil, "spec", "selector")
	v, err = judgeService(t.Context(), c, service)
	require.NoError(t, err)
	assert.Regexp(t, `^Service was not allocated an IP address`, v.message, "without a selector, others see to its targets")
	service.Object = change(service.Object, "example.org/internal", "spec", "loadBalancerClass")
	assert.Equal(t, []string{"only a controller for load balancers of the class example.org/internal gives it an address"},
		explainService(t.Context(), c, service))
}

func TestIngressIsWaitedFor(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("ways-in")
	ingress := func(name string, annotations doc) doc {
		path := func(path, service string) doc {
			return doc{"path": path, "pathType": "Prefix", "backend": doc{"service": doc{"name": service, "port": doc{"number": 80}}}}
		}
		return doc{
			"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
			"metadata": doc{"namespace": ns, "name": name, "annotations": annotations},
			"spec": doc{"ingressClassName": "nobody", "rules": []any{doc{
				"host": name + ".example.org", "http": doc{"paths": []any{path("/", "web"), path("/api", "web")}},
			}}},
		}
	}
	t.Run("served", func(t *testing.T) {
		go func() {
			assert.Eventually(t, func() bool {
				_, err := objects(t, "ingresses", "networking.k8s.io/v1").Namespace(ns).Patch(t.Context(), "served", types.MergePatchType,
					[]byte(`{"status":{"loadBalancer":{"ingress":[{"hostname":"entry.example.org"}]}}}`), metav1.PatchOptions{}, "status")
				return err == nil
			}, 10*time.Second, 100*time.Millisecond)
		}()
		m := e.create("served", ingress("served", nil))
		assert.Len(t, e.outputs(m)["status"].ObjectValue()["loadBalancer"].ObjectValue()["ingress"].ArrayValue(), 1)
		assert.Empty(t, paths(e.refresh(m)))
	})
	t.Run("served by nobody", func(t *testing.T) {
		m, err := e.tryCreate("lost", ingress("lost", doc{annotationTimeout: "1"}))
		detail := initError(err)
		require.NotNil(t, detail, "%v", err)
		assert.ErrorContains(t, err, "timed out after 1s waiting for it to be ready: Ingress .status.loadBalancer field was not updated")
		assert.Equal(t, []string{"IngressClass nobody does not exist", "Service web, which it leads to, does not exist"},
			detail.GetReasons()[1:])
		e.drop(m)
	})
	t.Run("not waited for", func(t *testing.T) {
		start := time.Now()
		e.create("later", ingress("later", doc{annotationSkipAwait: "true"}))
		inTime(t, start, 2*time.Second)
	})
}
