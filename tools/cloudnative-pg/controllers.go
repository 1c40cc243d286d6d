package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	apiv1 "github.com/cloudnative-pg/cloudnative-pg/api/v1"
	"github.com/cloudnative-pg/cloudnative-pg/internal/cnpi/plugin/repository"
	"github.com/cloudnative-pg/cloudnative-pg/internal/configuration"
	"github.com/cloudnative-pg/cloudnative-pg/internal/controller"
	webhookv1 "github.com/cloudnative-pg/cloudnative-pg/internal/webhook/v1"
	"github.com/cloudnative-pg/cloudnative-pg/pkg/utils"
)

// readSettings reads the operator's settings from its ConfigMap and its Secret, as far as they exist.
func readSettings(ctx context.Context, c client.Client, o *options, settings *configuration.Data) error {
	all := map[string]string{}
	configMap, secret := &corev1.ConfigMap{}, &corev1.Secret{}
	for name, object := range map[string]client.Object{o.configMap: configMap, o.secret: secret} {
		if name == "" {
			continue
		}
		key := client.ObjectKey{Namespace: settings.OperatorNamespace, Name: name}
		if err := client.IgnoreNotFound(c.Get(ctx, key, object)); err != nil {
			return fmt.Errorf("settings in %s: %w", key, err)
		}
	}
	maps.Copy(all, configMap.Data)
	for name, value := range secret.Data {
		all[name] = string(value)
	}
	if len(all) > 0 {
		settings.ReadConfigMap(all)
	}
	return nil
}

// detectSystem finds out what the cluster offers, which the operator keeps in variables of its packages.
func detectSystem() (discovery.DiscoveryInterface, error) {
	client, err := utils.GetDiscoveryClient()
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if err := simulateInstanceManager(); err != nil {
		return nil, fmt.Errorf("instance manager: %w", err)
	}
	err = errors.Join(
		utils.DetectSecurityContextConstraints(client),
		utils.DetectVolumeSnapshotExist(client),
		utils.DetectAvailableArchitectures(),
	)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	return client, nil
}

func addControllers(
	ctx context.Context, mgr ctrl.Manager, disco discovery.DiscoveryInterface, certificate *tls.Certificate, o *options, settings *configuration.Data,
) (repository.Interface, error) {
	hash, err := instanceManager()
	if err != nil {
		return nil, err
	}
	plugins := repository.New()
	clusters := controller.NewClusterReconciler(mgr, disco, plugins, settings.DrainTaints, certificate, webhookv1.NewClusterAdmissionGuard())
	clusters.InstanceClient = &instances{reader: mgr.GetClient(), hash: hash}
	scheduled := &controller.ScheduledBackupReconciler{
		Client: mgr.GetClient(), Scheme: mgr.GetScheme(), Admission: webhookv1.NewScheduledBackupAdmissionGuard(),
		Recorder: mgr.GetEventRecorderFor("cloudnative-pg-scheduledbackup"), //nolint:staticcheck // what the operator takes
	}
	poolers := &controller.PoolerReconciler{
		Client: mgr.GetClient(), Scheme: mgr.GetScheme(), DiscoveryClient: disco, Admission: webhookv1.NewPoolerAdmissionGuard(),
		Recorder: mgr.GetEventRecorderFor("cloudnative-pg-pooler"), //nolint:staticcheck // what the operator takes
	}
	roles := &controller.DatabaseRoleReconciler{Client: mgr.GetClient(), Scheme: mgr.GetScheme()}
	err = errors.Join(
		clusters.SetupWithManager(ctx, mgr, o.parallel),
		indexBackups(ctx, mgr),
		controller.NewPluginReconciler(mgr, settings.OperatorNamespace, plugins).SetupWithManager(mgr, o.parallel),
		scheduled.SetupWithManager(ctx, mgr, o.parallel),
		poolers.SetupWithManager(ctx, mgr, o.parallel),
		roles.SetupWithManager(mgr, o.parallel),
		addPromotions(mgr),
		addDatabases(mgr),
	)
	if err != nil {
		return nil, fmt.Errorf("controllers: %w", err)
	}
	return plugins, nil
}

// indexBackups is all that is here of the controller of backups. It would ask instances at the addresses of their pods,
// where nobody is; so a Backup is accepted and stays as it is.
func indexBackups(ctx context.Context, mgr ctrl.Manager) error {
	return mgr.GetFieldIndexer().IndexField(ctx, &apiv1.Backup{}, ".spec.cluster.name", func(o client.Object) []string {
		return []string{o.(*apiv1.Backup).Spec.Cluster.Name}
	})
}

func addWebhooks(mgr ctrl.Manager) error {
	for _, add := range []func(ctrl.Manager) error{
		webhookv1.SetupClusterWebhookWithManager, webhookv1.SetupBackupWebhookWithManager,
		webhookv1.SetupScheduledBackupWebhookWithManager, webhookv1.SetupPoolerWebhookWithManager,
		webhookv1.SetupDatabaseWebhookWithManager,
	} {
		if err := add(mgr); err != nil {
			return fmt.Errorf("webhooks: %w", err)
		}
	}
	answerReadiness(mgr)
	return nil
}
