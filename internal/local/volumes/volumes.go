// Package volumes gives the local control plane's claims their volumes. A volume has a size, access modes and a zone,
// like a disk of a cloud, and can grow; there is nothing behind it, because the pods that use it are simulated.
package volumes

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// Storage classes select this package by one of these names.
const (
	Provisioner = "local.controlplane.io/simulated"
	// EBS is the name of the driver for disks of AWS, whose volumes are much like those of this package: they are in one
	// zone and can grow.
	EBS = "ebs.csi.aws.com"
)

// Run starts to provide volumes and returns; it ends with ctx.
func Run(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("client of the volume provisioner: %w", err)
	}
	ctx = klog.NewContext(ctx, klog.LoggerWithName(klog.Background().V(4), "volumes"))
	provider := controller.NewProvisionController(ctx, client, Provisioner, &provisioner{client},
		controller.AdditionalProvisionerNames([]string{EBS}),
		controller.LeaderElection(false), // each control plane has one
		controller.AddFinalizer(true),
	)
	go provider.Run(ctx)
	return expand(ctx, client)
}

type provisioner struct {
	client kubernetes.Interface
}

// Provision describes a volume that only nodes of the selected node's zone can use, which is what makes the scheduler
// keep a pod near its data. Without a selected node (binding mode Immediate) every node can.
func (p *provisioner) Provision(ctx context.Context, o controller.ProvisionOptions) (*corev1.PersistentVolume, controller.ProvisioningState, error) {
	if o.PVC.Spec.Selector != nil {
		return nil, controller.ProvisioningFinished,
			fmt.Errorf("claim %s/%s: a selector is not allowed with a storage class that makes volumes", o.PVC.Namespace, o.PVC.Name)
	}
	where := corev1.NodeSelectorRequirement{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpExists}
	if o.SelectedNodeName != "" {
		node, err := p.client.CoreV1().Nodes().Get(ctx, o.SelectedNodeName, metav1.GetOptions{})
		if err != nil {
			return nil, controller.ProvisioningNoChange, fmt.Errorf("node selected for claim %s/%s: %w", o.PVC.Namespace, o.PVC.Name, err)
		}
		where = placement(node)
	}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: o.PVName},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:                   o.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: o.PVC.Spec.Resources.Requests[corev1.ResourceStorage]},
			VolumeMode:                    o.PVC.Spec.VolumeMode,
			PersistentVolumeReclaimPolicy: *o.StorageClass.ReclaimPolicy,
			MountOptions:                  o.StorageClass.MountOptions,
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{where}}},
			}},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: "/simulated/" + o.PVName},
			},
		},
	}, controller.ProvisioningFinished, nil
}

// placement selects the nodes of the node's zone, or the node alone when it is in none.
func placement(node *corev1.Node) corev1.NodeSelectorRequirement {
	key := corev1.LabelTopologyZone
	if node.Labels[key] == "" {
		key = corev1.LabelHostname
	}
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{node.Labels[key]}}
}

// Delete has nothing to do: there is nothing behind a volume.
func (p *provisioner) Delete(context.Context, *corev1.PersistentVolume) error { return nil }

// SupportsBlock is true because a volume without content can be of either mode.
func (p *provisioner) SupportsBlock(context.Context) bool { return true }
