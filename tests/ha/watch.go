// Package ha tells what the failure of a zone, or the maintenance of a node, does to what runs on a cluster.
//
// [Watch] follows every Deployment and StatefulSet, and every other group of pods that has a disruption budget, such as a
// database's that an operator makes without either of these. It keeps the fewest pods that were ready of each at any
// moment, as only the worst moment says whether a service went on. [Drain] empties a node in the way that those who run a
// cluster do.
package ha

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Watcher counts ready pods. It keeps its own copy of the cluster's state, which it brings up to date event by event: what
// is read from an informer's store may have passed over a moment that counts.
type Watcher struct {
	mu           sync.Mutex
	nodes        objects[*corev1.Node]
	pods         objects[*corev1.Pod]
	budgets      objects[*policyv1.PodDisruptionBudget]
	deployments  objects[*appsv1.Deployment]
	statefulSets objects[*appsv1.StatefulSet]
	components   []*component // since Begin
}

// objects are by namespace and name.
type objects[T metav1.Object] map[cache.ObjectName]T

// component is a row that is kept up to date.
type component struct {
	Row
	namespace string
	selector  labels.Selector
}

// Watch begins to watch the cluster, waits until it is settled (see Settled), and begins to count. It ends with ctx.
func Watch(ctx context.Context, client kubernetes.Interface) (*Watcher, error) {
	w := &Watcher{
		nodes: objects[*corev1.Node]{}, pods: objects[*corev1.Pod]{}, budgets: objects[*policyv1.PodDisruptionBudget]{},
		deployments: objects[*appsv1.Deployment]{}, statefulSets: objects[*appsv1.StatefulSet]{},
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	core, apps := factory.Core().V1(), factory.Apps().V1()
	var synced []cache.InformerSynced
	for _, f := range []func() (cache.InformerSynced, error){
		func() (cache.InformerSynced, error) { return follow(w, core.Nodes().Informer(), w.nodes) },
		func() (cache.InformerSynced, error) { return follow(w, core.Pods().Informer(), w.pods) },
		func() (cache.InformerSynced, error) {
			return follow(w, factory.Policy().V1().PodDisruptionBudgets().Informer(), w.budgets)
		},
		func() (cache.InformerSynced, error) { return follow(w, apps.Deployments().Informer(), w.deployments) },
		func() (cache.InformerSynced, error) { return follow(w, apps.StatefulSets().Informer(), w.statefulSets) },
	} {
		done, err := f()
		if err != nil {
			return nil, fmt.Errorf("watch the cluster: %w", err)
		}
		synced = append(synced, done)
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return nil, fmt.Errorf("watch the cluster: %w", context.Cause(ctx))
	}
	if err := w.Settled(ctx); err != nil {
		return nil, err
	}
	w.Begin()
	return w, nil
}

// follow keeps the objects as the informer's, and counts after each change.
func follow[T metav1.Object](w *Watcher, informer cache.SharedIndexInformer, all objects[T]) (cache.InformerSynced, error) {
	set := func(object any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if o, ok := object.(T); ok {
			all[cache.MetaObjectToName(o)] = o
			w.count(o.GetNamespace())
		}
	}
	handle, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    set,
		UpdateFunc: func(_, object any) { set(object) },
		DeleteFunc: func(object any) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
				delete(all, name)
				w.count(name.Namespace)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return handle.HasSynced, nil
}

// Settled returns when every component has all of its pods ready and its budget knows; what does not come to that is named
// in the error when ctx ends.
func (w *Watcher) Settled(ctx context.Context) error {
	for {
		missing := w.unsettled()
		if missing == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", missing, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (w *Watcher) unsettled() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.find() {
		if c.seen != c.Replicas {
			return fmt.Sprintf("%d pods of %s are ready instead of %d", c.seen, c.Component, c.Replicas)
		}
	}
	for name, budget := range w.budgets {
		status := budget.Status
		if status.ObservedGeneration != budget.Generation || status.CurrentHealthy < status.ExpectedPods {
			return fmt.Sprintf("budget %s finds %d pods healthy instead of %d", name, status.CurrentHealthy, status.ExpectedPods)
		}
	}
	return ""
}

// Begin begins to count anew, with the components and pods that there are now.
func (w *Watcher) Begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.components = w.find()
}

// Rows returns what was counted since the last Begin, sorted by component.
func (w *Watcher) Rows() []Row {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows := make([]Row, len(w.components))
	for i, c := range w.components {
		rows[i] = c.Row
	}
	return rows
}

// count looks at the components of a namespace, or at all after a change of a node. The caller holds the lock.
func (w *Watcher) count(namespace string) {
	for _, c := range w.components {
		if namespace == "" || namespace == c.namespace {
			c.seen = min(c.seen, len(w.ready(c.namespace, c.selector)))
		}
	}
}

// find returns the components that there are, as they are now. The caller holds the lock.
func (w *Watcher) find() []*component {
	var all []*component
	budgeted := map[string]bool{}
	for name, budget := range w.budgets {
		selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
		if err != nil || budget.Status.ExpectedPods == 0 {
			continue
		}
		c := &component{namespace: name.Namespace, selector: selector, Row: Row{Budget: name.Name}}
		c.Component, c.Kind = w.owner(name, selector)
		c.Replicas, c.Required = int(budget.Status.ExpectedPods), int(budget.Status.DesiredHealthy)
		budgeted[c.Kind+" "+c.Component] = true
		all = append(all, c)
	}
	add := func(kind string, name cache.ObjectName, replicas *int32, selector *metav1.LabelSelector) {
		matches, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || replicas == nil || *replicas == 0 || budgeted[kind+" "+name.String()] {
			return
		}
		row := Row{Component: name.String(), Kind: kind, Replicas: int(*replicas)}
		all = append(all, &component{namespace: name.Namespace, selector: matches, Row: row})
	}
	for name, d := range w.deployments {
		add("Deployment", name, d.Spec.Replicas, d.Spec.Selector)
	}
	for name, s := range w.statefulSets {
		add("StatefulSet", name, s.Spec.Replicas, s.Spec.Selector)
	}
	for _, c := range all {
		ready := w.ready(c.namespace, c.selector)
		c.seen, c.Lost = len(ready), w.mostInOneZone(ready)
	}
	slices.SortFunc(all, func(a, b *component) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Budget, b.Budget))
	})
	return all
}

// ready returns the pods that are ready to serve, as a budget counts them, on nodes that there are: of a pod whose machine
// is gone nobody takes the readiness back.
func (w *Watcher) ready(namespace string, selector labels.Selector) []*corev1.Pod {
	var ready []*corev1.Pod
	for name, pod := range w.pods {
		if name.Namespace != namespace || pod.DeletionTimestamp != nil || !selector.Matches(labels.Set(pod.Labels)) {
			continue
		}
		_, standing := w.nodes[cache.ObjectName{Name: pod.Spec.NodeName}]
		isReady := func(c corev1.PodCondition) bool { return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue }
		if standing && slices.ContainsFunc(pod.Status.Conditions, isReady) {
			ready = append(ready, pod)
		}
	}
	return ready
}

// mostInOneZone returns how many of the pods the loss of one zone costs at most.
func (w *Watcher) mostInOneZone(pods []*corev1.Pod) int {
	zones := map[string]int{}
	for _, pod := range pods {
		zones[w.nodes[cache.ObjectName{Name: pod.Spec.NodeName}].Labels[corev1.LabelTopologyZone]]++
	}
	most := 0
	for count := range maps.Values(zones) {
		most = max(most, count)
	}
	return most
}

// owner returns the name and kind of what the pods of a budget belong to. Where that is neither a Deployment nor a
// StatefulSet it may have several budgets, so that it goes by the budget's name.
func (w *Watcher) owner(budget cache.ObjectName, selector labels.Selector) (name, kind string) {
	for pod, object := range w.pods {
		owner := metav1.GetControllerOf(object)
		if pod.Namespace != budget.Namespace || owner == nil || !selector.Matches(labels.Set(object.Labels)) {
			continue
		}
		switch owner.Kind {
		case "StatefulSet":
			return budget.Namespace + "/" + owner.Name, owner.Kind
		case "ReplicaSet":
			hash := object.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
			return budget.Namespace + "/" + strings.TrimSuffix(owner.Name, "-"+hash), "Deployment"
		}
		return budget.String(), owner.Kind
	}
	return budget.String(), ""
}
