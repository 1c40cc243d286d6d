package postgresql

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	// pluginName is what a Cluster calls the backup plugin.
	pluginName = "barman-cloud.cloudnative-pg.io"
	// recoverySource is what a Cluster calls the cluster that it is restored from.
	recoverySource = "origin"
	// roleAnnotation has Amazon EKS give a service account's pods the credentials of a role.
	roleAnnotation = "eks.amazonaws.com/role-arn"

	accessKey, secretKey, region = "accessKeyId", "secretAccessKey", "region"
)

// stores describe the buckets that the cluster uses, each with the Secret that opens it.
func (b *builder) stores(p plan) (manifest.Set, error) {
	var sets []manifest.Set
	if p.Backup != nil {
		set, err := b.store(p, p.backupStore(), p.Backup.Store, p.Backup.Retention)
		if err != nil {
			return set, err
		}
		sets = append(sets, set)
	}
	if p.Recovery != nil {
		set, err := b.store(p, p.recoveryStore(), p.Recovery.Store, "")
		if err != nil {
			return set, err
		}
		sets = append(sets, set)
	}
	return manifest.Merge(sets...), nil
}

func (b *builder) store(p plan, name string, s part.ObjectStore, retention string) (manifest.Set, error) {
	configuration := map[string]any{
		"destinationPath": destination(s), "s3Credentials": keysOrRole(name, s),
		"data": map[string]any{"compression": "gzip"}, "wal": map[string]any{"compression": "gzip", "maxParallel": 4},
	}
	if s.EndpointURL != nil {
		// A bundle in a ConfigMap is not accepted. The certificate of the store comes from the same authority as that of
		// the database's, whose Secret has the authority's.
		configuration["endpointCA"] = map[string]any{"name": p.serverCertificate(), "key": "ca.crt"}
	}
	spec := map[string]any{
		"configuration": configuration,
		"instanceSidecarConfiguration": map[string]any{
			"logLevel": "info", "resources": b.args.Classes[workload.Operator],
		},
	}
	if retention != "" {
		spec["retentionPolicy"] = retention
	}
	set, err := manifest.Typed(manifest.Custom("barmancloud.cnpg.io/v1", "ObjectStore", Namespace, name, "", spec))
	if err != nil {
		return set, err
	}
	if s.EndpointURL != nil {
		set.Objects[0].Set(s.EndpointURL, "spec", "configuration", "endpointURL")
	}
	keys, err := keySecret(name, s)
	return manifest.Merge(keys, set), err
}

// destination is a bucket and the path in it as a URL.
func destination(s part.ObjectStore) string {
	url := "s3://" + s.Bucket
	if s.Path != "" {
		url += "/" + s.Path
	}
	return url
}

// keysOrRole says where the keys of the store are, or that the pod's role opens it.
func keysOrRole(secret string, s part.ObjectStore) map[string]any {
	if s.Keys == nil {
		return map[string]any{"inheritFromIAMRole": true}
	}
	refs := map[string]any{}
	for _, key := range []string{accessKey, secretKey, region} {
		if key != region || s.Region != "" {
			refs[key] = map[string]any{"name": secret, "key": key}
		}
	}
	return refs
}

// keySecret holds the keys of the store, if it has any.
func keySecret(name string, s part.ObjectStore) (manifest.Set, error) {
	if s.Keys == nil {
		return manifest.Set{}, nil
	}
	set, err := manifest.Typed(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name, Labels: reload}})
	if err != nil {
		return set, err
	}
	secret := set.Objects[0]
	secret.Set(s.Keys.AccessKey, "stringData", accessKey)
	secret.Set(s.Keys.SecretKey, "stringData", secretKey)
	if s.Region != "" {
		err = unstructured.SetNestedField(secret.Object, s.Region, "stringData", region)
	}
	return set, err
}

// connectStores has the Cluster archive its write-ahead log, and start from a backup.
func connectStores(p plan, cluster *manifest.Object) error {
	var used []part.ObjectStore
	plugin := func(store, server string) map[string]any {
		return map[string]any{
			"name": pluginName, "parameters": map[string]any{"barmanObjectName": store, "serverName": server},
		}
	}
	if p.Backup != nil {
		archiver := plugin(p.backupStore(), p.serverName())
		archiver["isWALArchiver"] = true
		if err := unstructured.SetNestedSlice(cluster.Object, []any{archiver}, "spec", "plugins"); err != nil {
			return fmt.Errorf("plugins: %w", err)
		}
		used = append(used, p.Backup.Store)
	}
	if p.Recovery != nil {
		origin := map[string]any{"name": recoverySource, "plugin": plugin(p.recoveryStore(), p.Recovery.SourceServerName)}
		if err := unstructured.SetNestedSlice(cluster.Object, []any{origin}, "spec", "externalClusters"); err != nil {
			return fmt.Errorf("external clusters: %w", err)
		}
		used = append(used, p.Recovery.Store)
	}
	for _, s := range used {
		if s.Keys == nil && s.RoleARN != nil {
			cluster.Set(s.RoleARN, "spec", "serviceAccountTemplate", "metadata", "annotations", roleAnnotation)
			break // a service account has one role: the one that may write
		}
	}
	return nil
}

// schedule has everything saved at once and then regularly.
func schedule(p plan) (manifest.Set, error) {
	if p.Backup == nil {
		return manifest.Set{}, nil
	}
	return manifest.Typed(manifest.Custom(apiVersion, "ScheduledBackup", Namespace, p.backupStore(), "", map[string]any{
		"cluster": map[string]any{"name": p.Name}, "schedule": p.Backup.Schedule, "immediate": true,
		"backupOwnerReference": "self",
		"method":               "plugin", "pluginConfiguration": map[string]any{"name": pluginName},
	}))
}
