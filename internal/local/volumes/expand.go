package volumes

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"
	"k8s.io/klog/v2"
)

// expandPeriod is how often a claim is looked at that could not be expanded.
const expandPeriod = 30 * time.Second

// expand gives claims the size that they ask for when it grows, as an external resizer does.
func expand(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, expandPeriod)
	_, err := factory.Core().V1().PersistentVolumeClaims().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		UpdateFunc: func(_, current any) {
			claim := current.(*corev1.PersistentVolumeClaim)
			if !tooSmall(claim) {
				return
			}
			if err := expandOne(ctx, client, claim.Namespace, claim.Name); err != nil && ctx.Err() == nil {
				klog.FromContext(ctx).Error(err, "expand", "claim", klog.KObj(claim))
			}
		},
	})
	if err != nil {
		return fmt.Errorf("watch claims: %w", err)
	}
	factory.Start(ctx.Done())
	return nil
}

// tooSmall reports whether a bound claim asks for more than it has.
func tooSmall(claim *corev1.PersistentVolumeClaim) bool {
	asked, has := claim.Spec.Resources.Requests.Storage(), claim.Status.Capacity.Storage()
	return claim.Status.Phase == corev1.ClaimBound && asked.Cmp(*has) > 0
}

func expandOne(ctx context.Context, client kubernetes.Interface, namespace, name string) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		claims := client.CoreV1().PersistentVolumeClaims(namespace)
		claim, err := claims.Get(ctx, name, metav1.GetOptions{})
		if err != nil || !tooSmall(claim) {
			return err
		}
		volume, err := client.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, metav1.GetOptions{})
		if err != nil || !ours(volume) {
			return err
		}
		size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
		volume.Spec.Capacity[corev1.ResourceStorage] = size
		if _, err := client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return err
		}
		claim.Status.Capacity[corev1.ResourceStorage] = size
		claim.Status.Conditions = slices.DeleteFunc(claim.Status.Conditions, awaitsExpansion)
		_, err = claims.UpdateStatus(ctx, claim, metav1.UpdateOptions{})
		return err
	})
}

// ours reports whether this package has made the volume.
func ours(volume *corev1.PersistentVolume) bool {
	by := volume.Annotations["pv.kubernetes.io/provisioned-by"]
	return by == Provisioner || by == EBS
}

// awaitsExpansion tells the conditions of a claim that is about to get its size.
func awaitsExpansion(condition corev1.PersistentVolumeClaimCondition) bool {
	return condition.Type == corev1.PersistentVolumeClaimResizing || condition.Type == corev1.PersistentVolumeClaimFileSystemResizePending
}
