package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	apiv1 "github.com/cloudnative-pg/cloudnative-pg/api/v1"
	"github.com/cloudnative-pg/cloudnative-pg/pkg/utils"
)

// promotions does what the instance manager of the pod does that the operator has made the target primary: it becomes
// the primary and says so in the cluster's status.
type promotions struct{ client.Client }

func addPromotions(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).Named("simulated-promotion").
		For(&apiv1.Cluster{}).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(clusterOf)).
		Complete(&promotions{mgr.GetClient()})
}

func clusterOf(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[utils.ClusterLabelName]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: client.ObjectKey{Namespace: pod.GetNamespace(), Name: name}}}
}

// Reconcile promotes the target primary as soon as it is ready.
func (p *promotions) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	cluster := &apiv1.Cluster{}
	if err := p.Get(ctx, request.NamespacedName, cluster); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	target := cluster.Status.TargetPrimary
	if target == "" || target == apiv1.PendingFailoverMarker || target == cluster.Status.CurrentPrimary {
		return ctrl.Result{}, nil
	}
	pod := &corev1.Pod{}
	err := p.Get(ctx, client.ObjectKey{Namespace: request.Namespace, Name: target}, pod)
	if err != nil || !utils.IsPodReady(*pod) {
		return ctrl.Result{}, client.IgnoreNotFound(err) // there is another look when that changes
	}
	before := cluster.DeepCopy()
	cluster.Status.CurrentPrimary = target
	cluster.Status.CurrentPrimaryTimestamp = time.Now().UTC().Format(time.RFC3339Nano)
	return ctrl.Result{}, p.Status().Patch(ctx, cluster, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// databases does what the instance manager of the primary does with a Database, without a PostgreSQL to do it in.
type databases struct{ client.Client }

func addDatabases(mgr ctrl.Manager) error {
	d := &databases{mgr.GetClient()}
	return ctrl.NewControllerManagedBy(mgr).Named("simulated-database").
		For(&apiv1.Database{}).
		Watches(&apiv1.Cluster{}, handler.EnqueueRequestsFromMapFunc(d.of)).
		Complete(d)
}

func (d *databases) of(ctx context.Context, cluster client.Object) []reconcile.Request {
	var all apiv1.DatabaseList
	if err := d.List(ctx, &all, client.InNamespace(cluster.GetNamespace())); err != nil {
		return nil // of a cache that is not filled yet: each will be looked at then
	}
	var requests []reconcile.Request
	for _, database := range all.Items {
		if database.Spec.ClusterRef.Name == cluster.GetName() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&database)})
		}
	}
	return requests
}

// Reconcile says of a database that it is as it should be, once its cluster has a primary.
func (d *databases) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	database, cluster := &apiv1.Database{}, &apiv1.Cluster{}
	if err := d.Get(ctx, request.NamespacedName, database); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	err := d.Get(ctx, client.ObjectKey{Namespace: request.Namespace, Name: database.Spec.ClusterRef.Name}, cluster)
	if err != nil || cluster.Status.CurrentPrimary == "" || database.Status.ObservedGeneration == database.Generation {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	before := database.DeepCopy()
	database.Status.Applied, database.Status.ObservedGeneration = new(true), database.Generation
	return ctrl.Result{}, d.Status().Patch(ctx, database, client.MergeFrom(before))
}
