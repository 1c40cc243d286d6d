package kubernetes

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func job(namespace, name string, annotations doc) doc {
	return doc{
		"apiVersion": "batch/v1", "kind": "Job",
		"metadata": doc{"namespace": namespace, "name": name, "annotations": annotations},
		"spec": doc{"backoffLimit": 0, "template": doc{"spec": doc{
			"restartPolicy": "Never",
			// Not scheduled, so that the test alone decides how it ends.
			"nodeSelector": doc{"no": "such-node"},
			"containers":   []any{doc{"name": "main", "image": "example.org/job:1"}},
		}}},
	}
}

// finish ends a pod of a job the way a kubelet does.
func finish(t *testing.T, namespace, jobName string, status string) {
	t.Helper()
	pods := objects(t, "pods", "v1").Namespace(namespace)
	assert.Eventually(t, func() bool {
		list, err := pods.List(t.Context(), metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + jobName})
		if err != nil || len(list.Items) == 0 {
			return false
		}
		_, err = pods.Patch(t.Context(), list.Items[0].GetName(), types.MergePatchType, []byte(status),
			metav1.PatchOptions{}, "status")
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
}

func TestJobIsWaitedFor(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("jobs")
	t.Run("completed", func(t *testing.T) {
		go finish(t, ns, "good", `{"status":{"phase":"Succeeded"}}`)
		m := e.create("good", job(ns, "good", nil))
		assert.EqualValues(t, 1, e.outputs(m)["status"].ObjectValue()["succeeded"].NumberValue())
		d := e.diff(m, func() doc {
			j := job(ns, "good", nil)
			j["spec"].(doc)["template"].(doc)["spec"].(doc)["containers"].([]any)[0].(doc)["image"] = "example.org/job:2"
			return j
		}())
		assert.Equal(t, []string{"spec.template.spec.containers[0].image"}, d.GetReplaces())
		assert.True(t, d.GetDeleteBeforeReplace())
	})
	t.Run("failed", func(t *testing.T) {
		go finish(t, ns, "bad", `{"status":{"phase":"Failed","containerStatuses":[{"name":"main","image":"i","imageID":"i",
			"ready":false,"restartCount":0,"state":{"terminated":{"exitCode":3,"reason":"Error","message":"no such database"}}}]}}`)
		m, err := e.tryCreate("bad", job(ns, "bad", nil))
		detail := initError(err)
		require.NotNil(t, detail, "the object exists and is recorded: %v", err)
		assert.ErrorContains(t, err, "BackoffLimitExceeded")
		assert.Contains(t, detail.GetReasons()[1], "container main exited with code 3: Error no such database")
		e.drop(m)
	})
	t.Run("not waited for", func(t *testing.T) {
		m := e.create("later", job(ns, "later", doc{annotationSkipAwait: "true"}))
		assert.Equal(t, "jobs/later", m.id)
	})
	t.Run("out of time", func(t *testing.T) {
		start := time.Now()
		m, err := e.tryCreate("slow", job(ns, "slow", doc{annotationTimeout: "1"}))
		inTime(t, start, 5*time.Second)
		require.ErrorContains(t, err, "timed out after 1s waiting for it to be ready: waiting for the Job to complete: 1 active")
		require.NotNil(t, initError(err))
		assert.Equal(t, "jobs/slow", m.id)
		e.drop(m)
	})
}

func TestCancellationEndsAWait(t *testing.T) {
	t.Parallel()
	address := serve(t, Options{Target: real.REST()})
	e, other := dial(t, address), dial(t, address)
	e.configure()
	other.configure()
	ns := e.namespaceFor("cancel")
	result := make(chan error, 1)
	m := &managed{}
	go func() {
		var err error
		m, err = e.tryCreate("long", deploymentOn(ns, "long", doc{"no": "such-node"}))
		result <- err
	}()
	require.Eventually(t, func() bool {
		_, err := objects(t, "deployments", "apps/v1").Namespace(ns).Get(t.Context(), "long", metav1.GetOptions{})
		return err == nil
	}, 10*time.Second, 50*time.Millisecond)
	_, err := other.client.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	select {
	case err := <-result:
		t.Fatalf("another operation's cancellation ended this one: %v", err)
	case <-time.After(300 * time.Millisecond):
	}

	start := time.Now()
	_, err = e.client.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	err = <-result
	inTime(t, start, 5*time.Second)
	require.ErrorContains(t, err, "operation was cancelled")
	detail := initError(err)
	require.NotNil(t, detail, "the object is recorded")
	assert.Contains(t, strings.Join(detail.GetReasons(), "\n"), "Unschedulable", "what was waited for in vain")

	e = reachable(t) // the next operation
	_, err = e.client.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: m.id, Urn: m.urn, Properties: m.state})
	require.NoError(t, err)
}

func deploymentOn(namespace, name string, nodes doc) doc {
	d := deployment(namespace, name, 1, "example.org/web:1")
	d["spec"].(doc)["template"].(doc)["spec"].(doc)["nodeSelector"] = nodes
	return d
}

func TestUnreadyDeploymentSaysWhy(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("unready")
	object := deploymentOn(ns, "stuck", doc{"no": "such-node"})
	m, err := e.tryCreateAs(urnOf(object, "stuck"), object, 3)
	detail := initError(err)
	require.NotNil(t, detail, "%v", err)
	assert.ErrorContains(t, err, "timed out after 3s")
	assert.Contains(t, detail.GetReasons()[1], "Unschedulable")

	// The next update goes on where this one has stopped.
	e.update(m, deployment(ns, "stuck", 1, "example.org/web:1"))
	assert.EqualValues(t, 1, e.outputs(m)["status"].ObjectValue()["readyReplicas"].NumberValue())
	e.drop(m)
}

// messages is an engine that keeps what plugins say.
type messages struct {
	pulumirpc.UnimplementedEngineServer
	mutex sync.Mutex
	said  []string
}

func (m *messages) Log(_ context.Context, r *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.said = append(m.said, r.GetMessage())
	return &emptypb.Empty{}, nil
}

// Who waits learns why before the time is up.
func TestAWaitSaysWhy(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	heard, server := &messages{}, grpc.NewServer()
	pulumirpc.RegisterEngineServer(server, heard)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	_, err = e.client.Attach(t.Context(), &pulumirpc.PluginAttach{Address: listener.Addr().String()})
	require.NoError(t, err)

	ns := e.namespaceFor("why")
	object := deploymentOn(ns, "stuck", doc{"no": "such-node"})
	_, err = e.tryCreateAs(urnOf(object, "stuck"), object, 14)
	require.Error(t, err)
	heard.mutex.Lock()
	defer heard.mutex.Unlock()
	assert.NotContains(t, heard.said[0], "Unschedulable", "at first it may just take its time")
	assert.Regexp(t, `Available: 0/1; Pod stuck-\S+: Unschedulable: `, strings.Join(heard.said, "\n"))
}

func TestClaimsAndServices(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("claims")
	class := func(name, mode string) doc {
		return doc{
			"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": doc{"name": name},
			"provisioner": "example.org/none", "volumeBindingMode": mode,
		}
	}
	claim := func(name, class string) doc {
		return doc{
			"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": doc{"namespace": ns, "name": name},
			"spec": doc{
				"accessModes": []any{"ReadWriteOnce"}, "storageClassName": class,
				"resources": doc{"requests": doc{"storage": "1Gi"}},
			},
		}
	}
	e.create("lazy", class("lazy", "WaitForFirstConsumer"))
	e.create("eager", class("eager", "Immediate"))
	m := e.create("lazy-claim", claim("lazy", "lazy"))
	assert.Equal(t, "Pending", e.outputs(m)["status"].ObjectValue()["phase"].StringValue(),
		"such a claim gets its volume with the first pod")
	assert.Equal(t, map[string]string{"spec.resources.requests.storage": "UPDATE"}, paths(e.diff(m, func() doc {
		c := claim("lazy", "lazy")
		c["spec"].(doc)["resources"] = doc{"requests": doc{"storage": "2Gi"}}
		return c
	}())))
	assert.Equal(t, []string{"spec.storageClassName"}, e.diff(m, claim("lazy", "eager")).GetReplaces())

	unbound := claim("eager", "eager")
	bad, err := e.tryCreateAs(urnOf(unbound, "eager"), unbound, 1)
	require.ErrorContains(t, err, "waiting for the claim to be bound; it is Pending")
	e.drop(bad)

	service := func(name string, spec doc) doc {
		spec["ports"] = []any{doc{"port": 80}}
		return doc{"apiVersion": "v1", "kind": "Service", "metadata": doc{"namespace": ns, "name": name}, "spec": spec}
	}
	e.create("headless", service("headless", doc{"clusterIP": "None", "selector": doc{"app": "none"}}))
	e.create("manual", service("manual", doc{}))
	nobody := service("nobody", doc{"selector": doc{"app": "none"}})
	bad, err = e.tryCreateAs(urnOf(nobody, "nobody"), nobody, 1)
	require.ErrorContains(t, err, "Service does not target any Pods")
	e.drop(bad)
}

func TestTokenOfAServiceAccountIsWaitedFor(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("tokens")
	e.create("account", doc{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": doc{"namespace": ns, "name": "robot"},
	})
	m := e.create("token", doc{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
		"metadata": doc{"namespace": ns, "name": "token", "annotations": doc{"kubernetes.io/service-account.name": "robot"}},
	})
	data := e.outputs(m)["data"].SecretValue().Element.ObjectValue()
	assert.NotEmpty(t, data["token"].StringValue(), "the program can use it at once")
}

func TestLatestEventsComeFirst(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("events")
	subject := &unstructured.Unstructured{Object: namespace("it")}
	subject.SetNamespace(ns)
	for i, at := range []string{"2020-01-01T00:00:02Z", "2020-01-01T00:00:03Z", "2020-01-01T00:00:01Z"} {
		e.create("event", doc{
			"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "Seen", "message": at, "lastTimestamp": at,
			"metadata":       doc{"namespace": ns, "name": string(rune('a' + i))},
			"involvedObject": doc{"kind": "Namespace", "name": "it", "namespace": ns},
		})
	}
	c, err := connect(real.REST(), newSession(t.Context()))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"Namespace it: Seen: 2020-01-01T00:00:03Z", "Namespace it: Seen: 2020-01-01T00:00:02Z",
		"Namespace it: Seen: 2020-01-01T00:00:01Z",
	}, explainEvents(t.Context(), c, subject))
}

func TestWaitForAnnotation(t *testing.T) {
	t.Parallel()
	object := &unstructured.Unstructured{Object: doc{
		"metadata": doc{"generation": int64(2)},
		"status": doc{"phase": "Running", "count": int64(3), "conditions": []any{
			doc{"type": "Ready", "status": "True"}, doc{"type": "Degraded", "status": "False"},
			doc{"type": "Stale", "status": "True", "observedGeneration": int64(1)},
		}},
	}}
	for text, want := range map[string]bool{
		"condition=Ready":                  true,
		"condition=ready":                  true,
		"condition=Degraded":               false,
		"condition=Degraded=False":         true,
		"condition=Stale":                  false,
		"condition=Other":                  false,
		"jsonpath={.status.phase}":         true,
		"jsonpath={.status.phase}=Running": true,
		"jsonpath={.status.phase}=Pending": false,
		"jsonpath=.status.count=3":         true,
		"jsonpath={.status.none}":          false,
		`jsonpath={.status.conditions[?(@.type=="Ready")].status}=True`: true,
		`["condition=Ready", "jsonpath={.status.phase}=Running"]`:       true,
		`["condition=Ready", "condition=Degraded"]`:                     false,
	} {
		j, err := judgeAnnotation(text)
		require.NoError(t, err, text)
		v, err := j(t.Context(), nil, object)
		require.NoError(t, err, text)
		assert.Equal(t, want, v.ready, text)
	}
	for text, message := range map[string]string{
		"Ready":                   `expected a "jsonpath=" or "condition=" prefix, got "Ready"`,
		"[]":                      "at least one condition must be given",
		"condition=":              "has no type",
		"jsonpath={.status":       "jsonpath",
		"jsonpath={.a}x":          "want {path} or {path}=value",
		"jsonpath={.a}=":          "no value after the equals sign",
		`["condition=A", "nope"]`: `got "nope"`,
	} {
		_, err := judgeAnnotation(text)
		assert.ErrorContains(t, err, message, text)
	}
}

func TestWaitForDelaysACreation(t *testing.T) {
	t.Parallel()
	e := reachable(t)
	ns := e.namespaceFor("waitfor")
	go func() {
		assert.Eventually(t, func() bool {
			_, err := objects(t, "configmaps", "v1").Namespace(ns).Patch(t.Context(), "c", types.MergePatchType,
				[]byte(`{"data":{"ready":"yes"}}`), metav1.PatchOptions{})
			return err == nil
		}, 10*time.Second, 100*time.Millisecond)
	}()
	m := e.create("c", doc{"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{
		"namespace": ns, "name": "c", "annotations": doc{annotationWaitFor: "jsonpath={.data.ready}=yes"},
	}})
	assert.Equal(t, "yes", e.outputs(m)["data"].ObjectValue()["ready"].StringValue())
}
