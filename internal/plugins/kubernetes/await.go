package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// verdict is what a look at an object says.
type verdict struct {
	ready   bool
	failed  bool     // it will not become ready any more
	message string   // what is missing
	reasons []string // details of a failure
}

// judge looks at an object, and at what its readiness depends on.
type judge func(ctx context.Context, c *cluster, obj *unstructured.Unstructured) (verdict, error)

// readiness is what waiting for a kind means.
type readiness struct {
	judge judge
	bound time.Duration
	// also names further objects whose changes matter.
	also func(obj *unstructured.Unstructured) []watched
	// explain finds out, when the time is up, what is wrong.
	explain func(ctx context.Context, c *cluster, obj *unstructured.Unstructured) []string
}

// awaited lists the kinds that are waited for. Others are ready when they exist, unless pulumi.com/waitFor says more.
var awaited = map[schema.GroupKind]readiness{
	{Group: "apps", Kind: "Deployment"}:  {judge: judgeStatus, bound: 10 * time.Minute, explain: explainPods},
	{Group: "apps", Kind: "StatefulSet"}: {judge: judgeStatus, bound: 10 * time.Minute, explain: explainPods},
	{Group: "apps", Kind: "DaemonSet"}:   {judge: judgeStatus, bound: 10 * time.Minute, explain: explainPods},
	{Group: "batch", Kind: "Job"}:        {judge: judgeJob, bound: 10 * time.Minute, explain: explainPods},
	{Kind: "Pod"}:                        {judge: judgeStatus, bound: 10 * time.Minute, explain: explainPod},
	{Kind: "ReplicationController"}:      {judge: judgeReplicas, bound: 10 * time.Minute, explain: explainPods},
	{Kind: "Service"}: {
		judge: judgeService, bound: 10 * time.Minute, also: endpointsOf, explain: explainService,
	},
	{Kind: "PersistentVolumeClaim"}: {judge: judgeClaim, bound: 5 * time.Minute, explain: explainEvents},
	{Kind: "PersistentVolume"}:      {judge: judgeVolume, bound: 5 * time.Minute, explain: explainEvents},
	{Kind: "ResourceQuota"}:         {judge: judgeQuota, bound: 5 * time.Minute},
	{Kind: "Secret"}:                {judge: judgeSecret, bound: 5 * time.Second},
	{Group: "networking.k8s.io", Kind: "Ingress"}: {
		judge: judgeIngress, bound: 10 * time.Minute, explain: explainIngress,
	},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: {judge: judgeDefinition, bound: time.Minute},
}

// readinessOf returns what to wait for: what the annotation says, or what the kind needs.
func readinessOf(inputs, obj *unstructured.Unstructured) (readiness, bool, error) {
	if annotated(inputs, annotationSkipAwait) {
		return readiness{}, false, nil
	}
	if text := annotation(inputs, annotationWaitFor); text != "" {
		judge, err := judgeAnnotation(text)
		return readiness{judge: judge, bound: 10 * time.Minute, explain: explainEvents}, err == nil, err
	}
	r, ok := awaited[obj.GroupVersionKind().GroupKind()]
	return r, ok, nil
}

// wait is one wait for an object.
type wait struct {
	readiness
	session *session
	client  dynamic.ResourceInterface
	urn     string
	object  *unstructured.Unstructured // as it was last seen
	last    verdict
	told    string // what the user was last told
	patient time.Time
	reason  string // why it is not ready, as far as is known
}

// patience is how long a wait may take before it is looked into why, and again after as long.
const patience = 8 * time.Second

// awaitReady waits until an object that was just written is ready, and returns it as it is then. The object comes back
// with an error as well: it exists.
func (s *session) awaitReady(
	ctx context.Context, urn string, inputs, object *unstructured.Unstructured, seconds float64,
) (*unstructured.Unstructured, error) {
	r, awaited, err := readinessOf(inputs, object)
	if err != nil || !awaited {
		return object, err
	}
	client, err := s.cluster.client(object)
	if err != nil {
		return object, err
	}
	w := &wait{readiness: r, session: s, client: client, urn: urn, object: object, patient: time.Now()}
	// Many objects are ready as soon as they are written: then there is nothing to watch.
	if ready, err := w.judged(ctx, object); ready || err != nil {
		return object, err
	}
	targets := []watched{{object: object}}
	if r.also != nil {
		targets = append(targets, r.also(object)...)
	}
	bound := timeoutFor(seconds, inputs, r.bound)
	err = w.ended(s.cluster.follow(ctx, targets, bound, w.look), bound)
	s.status(urn, "") // takes the last message away
	return w.object, err
}

// look fetches the object and judges it.
func (w *wait) look(ctx context.Context) (bool, error) {
	live, err := w.client.Get(ctx, w.object.GetName(), metav1.GetOptions{})
	switch {
	case err != nil && isGone(err):
		return false, &notReady{message: "it was deleted while it was waited for"}
	case err != nil:
		w.stumble(ctx, err)
		return false, nil
	}
	w.object = live
	return w.judged(ctx, live)
}

func (w *wait) judged(ctx context.Context, live *unstructured.Unstructured) (bool, error) {
	v, err := w.judge(ctx, w.session.cluster, live)
	if err != nil {
		w.stumble(ctx, err)
		return false, nil
	}
	if !v.ready && !v.failed {
		w.tell(v.message, live)
	}
	w.last = v
	if v.failed {
		return false, &notReady{message: v.message, reasons: v.reasons}
	}
	return v.ready, nil
}

// tell says what is waited for, and after a while also the first of the reasons: a user who sees a pod that cannot start
// need not wait for the end.
func (w *wait) tell(message string, live *unstructured.Unstructured) {
	if time.Since(w.patient) > patience {
		w.patient, w.reason = time.Now(), ""
		if reasons := w.session.explanation(w.readiness, live); len(reasons) > 0 {
			w.reason = reasons[0]
		}
	}
	if w.reason != "" {
		message += "; " + w.reason
	}
	if message != w.told {
		w.told = message
		w.session.status(w.urn, message)
	}
}

// stumble notes an error that need not last: the API server may be back before the time is up.
func (w *wait) stumble(ctx context.Context, err error) {
	if ctx.Err() == nil {
		w.last.message = err.Error()
	}
}

// ended turns the end of a wait before its time into what was waited for.
func (w *wait) ended(err error, bound time.Duration) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &notReady{
			message: fmt.Sprintf("timed out after %s waiting for it to be ready: %s", bound, w.last.message),
			reasons: w.session.explanation(w.readiness, w.object),
		}
	case errors.Is(err, context.Canceled):
		return &notReady{
			message: fmt.Sprintf("operation was cancelled while waiting for it to be ready: %s", w.last.message),
			// Who cancels has waited in vain, and wants to know for what.
			reasons: w.session.explanation(w.readiness, w.object),
		}
	}
	return err
}

func (s *session) explanation(r readiness, object *unstructured.Unstructured) []string {
	if r.explain == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return r.explain(ctx, s.cluster, object)
}

// judgeNow looks once, for a refresh.
func (s *session) judgeNow(ctx context.Context, inputs, live *unstructured.Unstructured) error {
	r, wait, err := readinessOf(inputs, live)
	if err != nil || !wait {
		return err
	}
	v, err := r.judge(ctx, s.cluster, live)
	if err != nil || v.ready {
		return err
	}
	reasons := v.reasons
	if len(reasons) == 0 {
		reasons = s.explanation(r, live)
	}
	return &notReady{message: fmt.Sprintf("%s is not ready: %s", idOf(live), v.message), reasons: reasons}
}

// judgeStatus goes by the conventions that kubectl and others share for the status of an object.
func judgeStatus(_ context.Context, _ *cluster, obj *unstructured.Unstructured) (verdict, error) {
	result, err := status.Compute(obj)
	if err != nil {
		return verdict{}, fmt.Errorf("status of %s: %w", idOf(obj), err)
	}
	message := result.Message
	if message == "" {
		message = string(result.Status)
	}
	// A rollout that has missed its own deadline may still succeed: the time for the wait is the user's to set.
	return verdict{ready: result.Status == status.CurrentStatus, message: message}, nil
}
