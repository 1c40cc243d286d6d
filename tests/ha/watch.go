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
	"k8s.io/apimachinery/pkg/types"
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
	components   []*component      // since Begin
	most         map[types.UID]int // pods that an operator's resource has had
}

// objects are by namespace and name.
type objects[T metav1.Object] map[cache.ObjectName]T

// component is a row that is kept up to date. Its pods are those of the owner, if it has one, or else those selected.
type component struct {
	Row
	namespace string
	selector  labels.Selector
	owner     types.UID
}

func (c *component) has(name cache.ObjectName, pod *corev1.Pod) bool {
	if c.owner != "" {
		owner := metav1.GetControllerOf(pod)
		return owner != nil && owner.UID == c.owner
	}
	return name.Namespace == c.namespace && c.selector.Matches(labels.Set(pod.Labels))
}

// Watch begins to watch the cluster, waits until it is settled (see Settled), and begins to count. It ends with ctx.
func Watch(ctx context.Context, client kubernetes.Interface) (*Watcher, error) {
	w := &Watcher{
		nodes: objects[*corev1.Node]{}, pods: objects[*corev1.Pod]{}, budgets: objects[*policyv1.PodDisruptionBudget]{},
		deployments: objects[*appsv1.Deployment]{}, statefulSets: objects[*appsv1.StatefulSet]{}, most: map[types.UID]int{},
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
// in the error when ctx ends. An operator's resource has all of its pods when it has as many as it ever had.
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
		budget := w.budgets[cache.ObjectName{Namespace: c.namespace, Name: c.Budget}]
		if budget != nil && c.owner == "" && int(budget.Status.CurrentHealthy) != c.Replicas {
			return fmt.Sprintf("budget %s/%s finds %d pods healthy instead of %d", c.namespace, c.Budget, budget.Status.CurrentHealthy, c.Replicas)
		}
	}
	for name, budget := range w.budgets {
		if budget.Status.ObservedGeneration != budget.Generation {
			return fmt.Sprintf("budget %s has not been looked at", name)
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
			c.seen = min(c.seen, len(w.ready(c)))
		}
	}
}

// find returns the components that there are, as they are now. The caller holds the lock.
func (w *Watcher) find() []*component {
	all := w.budgeted()
	known := map[string]bool{}
	for _, c := range all {
		known[c.Kind+" "+c.Component] = true
	}
	add := func(kind string, name cache.ObjectName, replicas *int32, selector *metav1.LabelSelector) {
		matches, err := metav1.LabelSelectorAsSelector(selector)
		if err == nil && replicas != nil && *replicas > 0 && !known[kind+" "+name.String()] {
			row := Row{Component: name.String(), Kind: kind, Replicas: int(*replicas)}
			all = append(all, &component{namespace: name.Namespace, selector: matches, Row: row})
		}
	}
	for name, d := range w.deployments {
		add("Deployment", name, d.Spec.Replicas, d.Spec.Selector)
	}
	for name, s := range w.statefulSets {
		add("StatefulSet", name, s.Spec.Replicas, s.Spec.Selector)
	}
	for _, c := range all {
		ready := w.ready(c)
		c.seen, c.Lost = len(ready), w.mostInOneZone(ready)
	}
	slices.SortFunc(all, func(a, b *component) int {
		return cmp.Or(strings.Compare(a.Component, b.Component), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Budget, b.Budget))
	})
	return all
}

// budgeted returns the components that have a budget. What is neither a Deployment nor a StatefulSet may have several, such
// as one for the primary of a database and one for its replicas. As its pods change between these, which takes the primary's
// away for the moment of a failover, and which the status of a budget does not always follow, such a component is counted as
// a whole, and is to have as many pods as its budgets want together.
func (w *Watcher) budgeted() []*component {
	var all []*component
	owned := map[types.UID]*component{}
	for _, name := range slices.SortedFunc(maps.Keys(w.budgets), func(a, b cache.ObjectName) int { return strings.Compare(a.String(), b.String()) }) {
		status := w.budgets[name].Status
		selector, err := metav1.LabelSelectorAsSelector(w.budgets[name].Spec.Selector)
		if err != nil || status.ExpectedPods == 0 {
			continue
		}
		c := &component{namespace: name.Namespace, selector: selector}
		w.name(c, name)
		c.Budget, c.Required = name.Name, int(status.DesiredHealthy)
		if whole := owned[c.owner]; whole != nil {
			whole.Budget, whole.Required = whole.Budget+", "+c.Budget, whole.Required+c.Required
			continue
		}
		c.Replicas = int(status.ExpectedPods)
		if c.owner != "" {
			owned[c.owner], c.Replicas = c, w.mostOf(c)
		}
		all = append(all, c)
	}
	return all
}

// name finds out what the pods of a budget belong to.
func (w *Watcher) name(c *component, budget cache.ObjectName) {
	c.Component = budget.String()
	for name, pod := range w.pods {
		owner := metav1.GetControllerOf(pod)
		if owner == nil || !c.has(name, pod) {
			continue
		}
		c.Component, c.Kind = c.namespace+"/"+owner.Name, owner.Kind
		switch owner.Kind {
		case "StatefulSet":
		case "ReplicaSet":
			hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
			c.Component, c.Kind = strings.TrimSuffix(c.Component, "-"+hash), "Deployment"
		default:
			c.owner = owner.UID
		}
		return
	}
}

// mostOf returns how many pods the component's owner has, or has had: there is no common way to ask how many it wants.
func (w *Watcher) mostOf(c *component) int {
	has := 0
	for name, pod := range w.pods {
		if c.has(name, pod) {
			has++
		}
	}
	w.most[c.owner] = max(w.most[c.owner], has)
	return w.most[c.owner]
}

// ready returns the pods that are ready to serve, as a budget counts them, on nodes that there are: of a pod whose machine
// is gone nobody takes the readiness back.
func (w *Watcher) ready(c *component) []*corev1.Pod {
	var ready []*corev1.Pod
	for name, pod := range w.pods {
		if pod.DeletionTimestamp != nil || !c.has(name, pod) {
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
