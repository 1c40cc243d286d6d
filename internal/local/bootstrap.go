package local

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/telekom/controlplane-infrastructure/internal/local/volumes"
)

const (
	kwokUser = "local:kwok"
	region   = "local"
	// StorageClass is the name of the default StorageClass.
	StorageClass = "local"
)

//go:embed kwok.yaml
var kwokConfig string

// writeKwokConfig leaves the pods of the given image repositories out of the simulation.
func writeKwokConfig(l layout, images []string) error {
	quoted := make([]string, len(images))
	for i, image := range images {
		quoted[i] = regexp.QuoteMeta(image)
	}
	// An image name is [registry/][path/]repository[:tag][@digest].
	pattern, err := json.Marshal(`(^|/)(` + strings.Join(quoted, "|") + `)([:@]|$)`)
	if err != nil {
		return fmt.Errorf("configuration of KWOK: %w", err)
	}
	isReal := `'(.spec.containers[0].image // "") | test(` + string(pattern) + `)'`
	if len(images) == 0 {
		isReal = `'false'`
	}
	return os.WriteFile(l.path("kwok.yaml"), []byte(strings.ReplaceAll(kwokConfig, "IS_REAL", isReal)), 0o600)
}

// bootstrap creates what a cluster's installer would.
func bootstrap(ctx context.Context, client kubernetes.Interface, o Options) error {
	if err := createKwokRole(ctx, client); err != nil {
		return fmt.Errorf("permissions of KWOK: %w", err)
	}
	_, err := client.StorageV1().StorageClasses().Create(ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{
			Name:        StorageClass,
			Annotations: map[string]string{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		Provisioner:          volumes.Provisioner,
		VolumeBindingMode:    ptr.To(storagev1.VolumeBindingWaitForFirstConsumer),
		ReclaimPolicy:        ptr.To(corev1.PersistentVolumeReclaimDelete),
		AllowVolumeExpansion: ptr.To(true),
	}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("default StorageClass: %w", err)
	}
	return createNodes(ctx, client, o.Zones, o.Nodes, func(*corev1.Node) bool { return true })
}

// createNodes creates those of the control plane's nodes that are wanted.
func createNodes(ctx context.Context, client kubernetes.Interface, zones []string, count int, wanted func(*corev1.Node) bool) error {
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("version of the API server: %w", err)
	}
	for _, node := range nodes(zones, count, version.GitVersion) {
		if !wanted(node) {
			continue
		}
		if _, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("node %s: %w", node.Name, err)
		}
	}
	return nil
}

func createKwokRole(ctx context.Context, client kubernetes.Interface) error {
	const name = "local-kwok"
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get", "list", "watch", "patch"}},
			{APIGroups: []string{""}, Resources: []string{"nodes/status", "pods/status"}, Verbs: []string{"patch", "update"}},
			{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch", "update"}},
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"},
				Verbs: []string{"get", "list", "watch", "create", "patch", "update"}},
		},
	}
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return err
	}
	_, err := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: kwokUser}},
	}, metav1.CreateOptions{})
	return err
}

// nodes returns the nodes, dealt out over the zones: node-a1 is the first one of zone-a.
func nodes(zones []string, count int, version string) []*corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("8"),
		corev1.ResourceMemory:           resource.MustParse("32Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
		corev1.ResourcePods:             resource.MustParse("110"),
	}
	var all []*corev1.Node
	for i := range count {
		zone := zones[i%len(zones)]
		name := "node-" + strings.TrimPrefix(zone, "zone-") + strconv.Itoa(i/len(zones)+1)
		all = append(all, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
				corev1.LabelHostname:       name,
				corev1.LabelOSStable:       "linux",
				corev1.LabelArchStable:     runtime.GOARCH,
				corev1.LabelTopologyZone:   zone,
				corev1.LabelTopologyRegion: region,
			}},
			Status: corev1.NodeStatus{
				Capacity:    capacity,
				Allocatable: capacity,
				Addresses: []corev1.NodeAddress{
					{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("10.245.0.%d", i+1)},
					{Type: corev1.NodeHostName, Address: name},
				},
				NodeInfo: corev1.NodeSystemInfo{
					OperatingSystem: "linux", Architecture: runtime.GOARCH,
					KubeletVersion: version, ContainerRuntimeVersion: "simulated://kwok",
				},
			},
		})
	}
	return all
}

// waitUsable returns when pods can be scheduled to every node and can be created in the default namespace.
func waitUsable(ctx context.Context, client kubernetes.Interface) error {
	missing, err := await(ctx, func(ctx context.Context) string { return notUsable(ctx, client) })
	if missing != "" {
		return fmt.Errorf("the local control plane is not usable after %s: %s", startTimeout, missing)
	}
	return err
}

// await returns when nothing is missing any more, or with what still is after a while.
func await(ctx context.Context, complaint func(context.Context) string) (missing string, err error) {
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		missing = complaint(ctx)
		return missing == "", nil
	})
	if ctx.Err() != nil {
		return "", err
	}
	return missing, nil
}

// notUsable names what is missing.
func notUsable(ctx context.Context, client kubernetes.Interface) string {
	if missing := notReady(ctx, client, metav1.ListOptions{}); missing != "" {
		return missing
	}
	_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "the controllers have made no default service account"
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// notReady names a node that takes no pods, of those that the options select.
func notReady(ctx context.Context, client kubernetes.Interface, which metav1.ListOptions) string {
	list, err := client.CoreV1().Nodes().List(ctx, which)
	if err != nil {
		return err.Error()
	}
	for _, node := range list.Items {
		ready := false
		for _, condition := range node.Status.Conditions {
			ready = ready || condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
		}
		if !ready || len(node.Spec.Taints) > 0 {
			return fmt.Sprintf("node %s is not ready, or tainted %v", node.Name, node.Spec.Taints)
		}
	}
	return ""
}
