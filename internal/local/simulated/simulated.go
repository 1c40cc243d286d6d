// Package simulated ends the pods that are no processes, as the kubelet ends a pod whose containers have stopped.
//
// It takes a moment on a machine, and nothing here, and some controllers count on the moment: a disruption budget knows an
// evicted pod by its name. If the pod's successor, which has the same name in a StatefulSet, is there before the budget has
// seen that the evicted one goes, it takes the successor for that one, and not for a healthy pod, for two minutes. So a pod
// stays for as long as a budget expects its end.
package simulated

import (
	"context"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/ptr"

	"github.com/telekom/controlplane-infrastructure/internal/local/node"
)

// again is how soon a pod that could not end yet is looked at again.
const again = 50 * time.Millisecond

// workers is how many pods are looked at at a time.
const workers = 4

type terminator struct {
	client kubernetes.Interface
	pods   listers.PodLister
	nodes  listers.NodeLister
	queue  workqueue.TypedRateLimitingInterface[key]
	log    io.Writer
}

// key tells a pod from its namesakes.
type key struct {
	cache.ObjectName
	uid types.UID
}

// Run starts to end pods and returns when it knows those that exist. It ends with ctx. The log receives a line for each
// pod that could not be ended.
func Run(ctx context.Context, config *rest.Config, log io.Writer) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("client for simulated pods: %w", err)
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, nodes := factory.Core().V1().Pods(), factory.Core().V1().Nodes()
	t := &terminator{
		client: client, pods: pods.Lister(), nodes: nodes.Lister(), log: log,
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[key](again, 5*time.Second)),
	}
	handle, err := pods.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    t.enqueue,
		UpdateFunc: func(_, current any) { t.enqueue(current) },
	})
	if err != nil {
		return fmt.Errorf("watch simulated pods: %w", err)
	}
	synced := []cache.InformerSynced{handle.HasSynced, nodes.Informer().HasSynced}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("watch simulated pods: %w", context.Cause(ctx))
	}
	for range workers {
		go t.work(ctx)
	}
	context.AfterFunc(ctx, t.queue.ShutDown)
	return nil
}

func (t *terminator) enqueue(object any) {
	if pod, ok := object.(*corev1.Pod); ok && ends(pod) {
		t.queue.Add(key{cache.MetaObjectToName(pod), pod.UID})
	}
}

// ends reports whether the pod is one to end. Without a grace period it has been ended, and waits for who has a finalizer on
// it.
func ends(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp != nil && ptr.Deref(pod.DeletionGracePeriodSeconds, 0) > 0 && !node.IsReal(&pod.Spec)
}

func (t *terminator) work(ctx context.Context) {
	for {
		pod, stop := t.queue.Get()
		if stop {
			return
		}
		wait, err := t.end(ctx, pod)
		switch {
		case err != nil && ctx.Err() == nil:
			fmt.Fprintf(t.log, "end simulated pod %s: %v\n", pod, err)
			t.queue.AddRateLimited(pod)
		case wait:
			t.queue.AddAfter(pod, again)
		default:
			t.queue.Forget(pod)
		}
		t.queue.Done(pod)
	}
}

// end removes a pod, unless it has to wait.
func (t *terminator) end(ctx context.Context, k key) (wait bool, err error) {
	pod, err := t.pods.Pods(k.Namespace).Get(k.Name)
	if apierrors.IsNotFound(err) || err == nil && (pod.UID != k.uid || !ends(pod)) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := t.nodes.Get(pod.Spec.NodeName); err != nil {
		if apierrors.IsNotFound(err) { // nobody ends pods on a machine that is no more
			return true, nil
		}
		return false, err
	}
	expected, err := t.expected(ctx, pod)
	if err != nil || expected && time.Now().Before(pod.DeletionTimestamp.Time) {
		return expected, err
	}
	err = t.client.CoreV1().Pods(k.Namespace).Delete(ctx, k.Name, metav1.DeleteOptions{
		GracePeriodSeconds: ptr.To[int64](0), Preconditions: metav1.NewUIDPreconditions(string(k.uid)),
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return false, nil
	}
	return false, err
}

// expected reports whether a budget has still to see that the pod goes. It asks the API server, as what a watch says may be
// older than the pod's eviction.
func (t *terminator) expected(ctx context.Context, pod *corev1.Pod) (bool, error) {
	budgets, err := t.client.PolicyV1().PodDisruptionBudgets(pod.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return false, err
	}
	for _, budget := range budgets.Items {
		selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
		if err != nil {
			return false, fmt.Errorf("budget %s: %w", budget.Name, err)
		}
		// A budget looks at no pod that it does not select, not even at one that it did.
		if _, evicted := budget.Status.DisruptedPods[pod.Name]; evicted && selector.Matches(labels.Set(pod.Labels)) {
			return true, nil
		}
	}
	return false, nil
}
