package kubernetes

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/artifact/artifacttest"
)

// parsed reads the documents of a YAML text.
func parsed(t *testing.T, text string) []doc {
	t.Helper()
	var all []doc
	for part := range strings.SplitSeq(text, "\n---\n") {
		var object doc
		require.NoError(t, yaml.Unmarshal([]byte(part), &object), part)
		if len(object) > 0 {
			all = append(all, object)
		}
	}
	return all
}

// lives shows that an object has no differences once it is there, and returns it. It is removed after the test.
func (e *engine) lives(object doc) *managed {
	e.t.Helper()
	name, _ := object["metadata"].(doc)["name"].(string)
	m := e.create(name, object)
	assert.Empty(e.t, paths(e.diff(m, object)), "the same program changes nothing: %s", m.urn)
	assert.Empty(e.t, paths(e.refresh(m)), "defaults and status are no drift: %s", m.urn)
	return m
}

const agent = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: agents}
spec:
  selector: {matchLabels: {app: agent}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 100%}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      hostNetwork: true
      priorityClassName: system-node-critical
      tolerations: [{operator: Exists}]
      containers:
      - name: agent
        image: example.org/agent:1
        securityContext: {privileged: false, runAsUser: 0, capabilities: {drop: [ALL], add: [NET_ADMIN, SYS_ADMIN]}}
        volumeMounts: [{name: plugins, mountPath: /host/opt/cni/bin}]
      volumes: [{name: plugins, hostPath: {path: /opt/cni/bin}}]
`

func TestNodeAgentIsOnEveryNodeBeforeTheRunGoesOn(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	e.namespaceFor("agents")
	m := e.lives(parsed(t, agent)[0])
	on := func() float64 {
		return e.outputs(m)["status"].ObjectValue()["numberAvailable"].NumberValue()
	}
	assert.EqualValues(t, 9, on())

	next := parsed(t, strings.Replace(agent, "agent:1", "agent:2", 1))[0]
	assert.Equal(t, map[string]string{"spec.template.spec.containers[0].image": "UPDATE"}, paths(e.diff(m, next)))
	e.update(m, next)
	assert.EqualValues(t, 9, on())
	assert.EqualValues(t, 9, e.outputs(m)["status"].ObjectValue()["updatedNumberScheduled"].NumberValue(), "an update rolls out")

	e.drop(m)
	left, err := objects(t, "pods", "v1").Namespace("agents").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, left.Items)
}

const entrance = `apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: entrance, annotations: {ingressclass.kubernetes.io/is-default-class: "false"}}
spec: {controller: example.org/entrance}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: entrance, namespace: entrance}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: entrance}
  minReplicas: 3
  maxReplicas: 9
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}
  - {type: Resource, resource: {name: memory, target: {type: AverageValue, averageValue: 1024Mi}}}
  behavior: {scaleDown: {stabilizationWindowSeconds: 300, policies: [{type: Pods, value: 1, periodSeconds: 60}]}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: entrance, namespace: entrance}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: entrance}}, unhealthyPodEvictionPolicy: AlwaysAllow}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: entrance, namespace: entrance}
spec:
  podSelector: {matchLabels: {app: entrance}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 8443, protocol: TCP}]}]
  egress: [{to: [{namespaceSelector: {matchLabels: {app: a}}, podSelector: {}}], ports: [{port: 1, endPort: 65535}]}]
`

func TestWhatAnIngressControllerConsistsOf(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("entrance")
	e.create("entrance", deployment(ns, "entrance", 3, "example.org/entrance:1"))
	made := map[string]*managed{}
	for _, object := range parsed(t, entrance) {
		kind, _ := object["kind"].(string)
		made[kind] = e.lives(object)
	}
	assert.Equal(t, "entrance", made["IngressClass"].id, "the kind has no namespace")

	scaler := parsed(t, strings.Replace(entrance, "minReplicas: 3", "minReplicas: 4", 1))[1]
	assert.Equal(t, map[string]string{"spec.minReplicas": "UPDATE"}, paths(e.diff(made["HorizontalPodAutoscaler"], scaler)))
	e.update(made["HorizontalPodAutoscaler"], scaler)
	assert.Empty(t, paths(e.refresh(made["HorizontalPodAutoscaler"])))

	for kind, m := range made {
		e.drop(m)
		assert.Empty(t, m.id, kind)
	}
	_, err := objects(t, "ingressclasses", "networking.k8s.io/v1").Get(t.Context(), "entrance", metav1.GetOptions{})
	assert.True(t, isGone(err), "%v", err)
}

// The garbage collector takes up to half a minute to learn of a new kind, and foreground deletion waits for it.
const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: entrance, annotations: {pulumi.com/deletionPropagationPolicy: background}}
spec: {controllerName: example.org/entrance}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: entrance, namespace: gateways, annotations: {pulumi.com/deletionPropagationPolicy: background}}
spec:
  gatewayClassName: entrance
  listeners:
  - {name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All}}}
  - name: https
    protocol: HTTPS
    port: 443
    tls: {certificateRefs: [{name: entrance}]}
    allowedRoutes: {namespaces: {from: All}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: gateways, annotations: {pulumi.com/deletionPropagationPolicy: background}}
spec:
  parentRefs: [{name: entrance, sectionName: https}]
  hostnames: [web.example.org]
  rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    backendRefs: [{name: web, port: 443}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: web, namespace: gateways, annotations: {pulumi.com/deletionPropagationPolicy: background}}
spec:
  targetRefs: [{group: "", kind: Service, name: web}]
  validation: {hostname: web.gateways.svc, caCertificateRefs: [{group: "", kind: ConfigMap, name: platform-trust}]}
`

func TestGatewayAPI(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	tree := artifacttest.Fetch(t, "sigs.k8s.io/gateway-api", "config/crd/standard")
	files, err := fs.Glob(tree, "*.yaml")
	require.NoError(t, err)
	definitions := 0
	for _, file := range files {
		content, err := fs.ReadFile(tree, file)
		require.NoError(t, err)
		for _, object := range parsed(t, string(content)) {
			e.lives(object)
			definitions++
		}
	}
	assert.Greater(t, definitions, 10)

	e.namespaceFor("gateways")
	made := map[string]*managed{}
	for _, object := range parsed(t, gateway) {
		kind, _ := object["kind"].(string)
		made[kind] = e.lives(object)
	}
	assert.Equal(t, "entrance", made["GatewayClass"].id, "the kind has no namespace")
	assert.Equal(t, "gateways/entrance", made["Gateway"].id)
	moved := parsed(t, strings.Replace(gateway, "port: 443", "port: 8443", 1))[1]
	assert.Equal(t, map[string]string{"spec.listeners[1].port": "UPDATE"}, paths(e.diff(made["Gateway"], moved)))
}
