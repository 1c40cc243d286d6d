package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sort"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	apiv1 "github.com/cloudnative-pg/cloudnative-pg/api/v1"
	"github.com/cloudnative-pg/cloudnative-pg/pkg/postgres"
	"github.com/cloudnative-pg/cloudnative-pg/pkg/utils"
	"github.com/cloudnative-pg/cloudnative-pg/pkg/versions"
)

// instances stands for the instance managers that the operator asks over HTTP: a pod that is ready is a healthy instance.
// It is the primary that the cluster names, or a replica that streams from a primary that is healthy as well.
type instances struct {
	reader client.Reader
	hash   string // of the instance manager, as the operator knows it: nothing is ever to be upgraded
}

var errSimulated = errors.New("the instances of a local control plane are simulated")

// GetStatusFromInstances is asked at every look at a cluster.
func (i *instances) GetStatusFromInstances(ctx context.Context, pods corev1.PodList) postgres.PostgresqlStatusList {
	active := utils.FilterActivePods(pods.Items)
	list := postgres.PostgresqlStatusList{}
	if len(active) == 0 {
		return list
	}
	cluster, err := i.cluster(ctx, &active[0])
	list.IsReplicaCluster, list.CurrentPrimary = cluster.IsReplica(), cluster.Status.CurrentPrimary
	streams := slices.ContainsFunc(active, func(pod corev1.Pod) bool { return pod.Name == primary(cluster) && utils.IsPodReady(pod) })
	for _, pod := range active {
		status := postgres.PostgresqlStatus{Error: err}
		if err == nil && !utils.IsPodReady(pod) {
			status.Error = errors.New("the pod is not ready")
		}
		if status.Error == nil {
			status = i.healthy(pod.Name == primary(cluster), streams)
		}
		status.AddPod(pod)
		list.Items = append(list.Items, status)
	}
	sort.Sort(&list)
	return list
}

// primary is the one that was promoted, or the first one, which nobody has to promote.
func primary(cluster *apiv1.Cluster) string {
	if cluster.Status.CurrentPrimary == "" {
		return cluster.Status.TargetPrimary
	}
	return cluster.Status.CurrentPrimary
}

func (i *instances) cluster(ctx context.Context, pod *corev1.Pod) (*apiv1.Cluster, error) {
	cluster := &apiv1.Cluster{}
	key := client.ObjectKey{Namespace: pod.Namespace, Name: pod.Labels[utils.ClusterLabelName]}
	return cluster, i.reader.Get(ctx, key, cluster)
}

func (i *instances) healthy(primary, streams bool) postgres.PostgresqlStatus {
	return postgres.PostgresqlStatus{
		SystemID:                "7000000000000000001",
		TimeLineID:              1,
		CurrentLsn:              "0/1000000",
		ReceivedLsn:             "0/1000000",
		ReplayLsn:               "0/1000000",
		CurrentWAL:              "000000010000000000000001",
		IsPrimary:               primary,
		IsWalReceiverActive:     !primary && streams,
		IsArchivingWAL:          primary,
		LoadedConfigurationHash: "simulated",
		ExecutableHash:          i.hash,
		InstanceManagerVersion:  versions.Version,
		InstanceArch:            runtime.GOARCH,
		SessionID:               "simulated",
	}
}

// GetPgControlDataFromInstance is asked when a cluster becomes the replica of another one.
func (*instances) GetPgControlDataFromInstance(context.Context, *corev1.Pod) (string, error) {
	return "", errSimulated
}

// UpgradeInstanceManager is asked when an instance runs another instance manager than the operator's.
func (*instances) UpgradeInstanceManager(context.Context, *corev1.Pod, *utils.AvailableArchitecture) error {
	return errSimulated
}

// ArchivePartialWAL is asked when a cluster becomes the replica of another one.
func (*instances) ArchivePartialWAL(context.Context, *corev1.Pod) (string, error) {
	return "", errSimulated
}
