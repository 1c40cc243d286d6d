package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
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
	{Kind: "Service"}:                    {judge: judgeService, bound: 10 * time.Minute, also: endpointsOf},
	{Kind: "PersistentVolumeClaim"}:      {judge: judgeClaim, bound: 5 * time.Minute, explain: explainEvents},
	{Kind: "PersistentVolume"}:           {judge: judgeVolume, bound: 5 * time.Minute, explain: explainEvents},
	{Kind: "ResourceQuota"}:              {judge: judgeQuota, bound: 5 * time.Minute},
	{Group: "networking.k8s.io", Kind: "Ingress"}: {
		judge: judgeIngress, bound: 10 * time.Minute, explain: explainEvents,
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

// awaitReady waits until an object that was just written is ready, and returns it as it is then. The object comes back
// with an error as well: it exists.
func (s *session) awaitReady(
	ctx context.Context, urn string, inputs, object *unstructured.Unstructured, seconds float64,
) (*unstructured.Unstructured, error) {
	r, wait, err := readinessOf(inputs, object)
	if err != nil || !wait {
		return object, err
	}
	client, err := s.cluster.client(object)
	if err != nil {
		return object, err
	}
	last := verdict{message: "not looked at yet"}
	look := func(ctx context.Context) (bool, error) {
		live, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err != nil {
			if isGone(err) {
				return false, &notReady{object: object, message: "it was deleted while it was waited for"}
			}
			// The API server may be back before the time is up.
			if ctx.Err() == nil {
				last.message = err.Error()
			}
			return false, nil
		}
		object = live
		v, err := r.judge(ctx, s.cluster, live)
		if err != nil {
			if ctx.Err() == nil {
				last.message = err.Error()
			}
			return false, nil
		}
		if v.message != last.message && !v.ready {
			s.status(urn, v.message)
		}
		last = v
		if v.failed {
			return false, &notReady{object: live, message: v.message, reasons: v.reasons}
		}
		return v.ready, nil
	}

	targets := []watched{{object: object}}
	if r.also != nil {
		targets = append(targets, r.also(object)...)
	}
	bound := timeoutFor(seconds, inputs, r.bound)
	err = s.cluster.follow(ctx, targets, bound, look)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = &notReady{
			object:  object,
			message: fmt.Sprintf("timed out after %s waiting for it to be ready: %s", bound, last.message),
			reasons: s.explanation(r, object),
		}
	case errors.Is(err, context.Canceled):
		err = &notReady{
			object:  object,
			message: fmt.Sprintf("operation was cancelled while waiting for it to be ready: %s", last.message),
		}
	}
	s.status(urn, "") // takes the last message away
	return object, err
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
	return &notReady{object: live, message: fmt.Sprintf("%s is not ready: %s", idOf(live), v.message), reasons: reasons}
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
