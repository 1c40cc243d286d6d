package prometheus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	// storeKey is the key of the Secret that leads to the bucket.
	storeKey = "objstore.yml"

	trustVolume = "platform-trust"
	trustDir    = "/etc/prometheus/platform-trust"
	storeVolume = "platform-store"
	storeDir    = "/etc/prometheus/platform-store"

	// storeDigest changes with what Thanos reads only when it starts.
	storeDigest = "controlplane.io/object-store"
)

// remoteWrites are the systems that get samples. Their credentials are in a Secret of their own.
func (a Args) remoteWrites() []any {
	var all []any
	for _, w := range a.RemoteWrite {
		write := map[string]any{"name": w.Name, "url": w.URL, "tlsConfig": map[string]any{"caFile": a.bundle()}}
		switch {
		case w.BasicAuth != nil:
			write["basicAuth"] = map[string]any{"username": w.key("username"), "password": w.key("password")}
		case w.BearerToken != nil:
			write["authorization"] = map[string]any{"type": "Bearer", "credentials": w.key("token")}
		}
		all = append(all, write)
	}
	return all
}

func (w RemoteWrite) key(what string) map[string]any {
	return map[string]any{"name": remoteWrite, "key": w.keyName(what)}
}

func (w RemoteWrite) keyName(what string) string { return w.Name + "." + what }

// checkSecrets reports the run-time values that are missing.
func (a Args) checkSecrets() error {
	var problems []error
	for _, w := range a.RemoteWrite {
		if w.BasicAuth != nil && (w.BasicAuth.Username == "" || w.BasicAuth.Password == nil) {
			problems = append(problems, fmt.Errorf("remote write %s: BasicAuth needs Username and Password", w.Name))
		}
	}
	if t := a.Thanos; t != nil && (t.Store.Keys == nil || t.Store.EndpointURL == nil) {
		problems = append(problems, errors.New("Thanos.Store needs EndpointURL and Keys"))
	}
	return errors.Join(problems...)
}

// secrets are those whose content is known only at run time.
func (a Args) secrets() (manifest.Set, error) {
	var objects []runtime.Object
	values := map[string]pulumi.Input{}
	texts := map[string]string{}
	for _, w := range a.RemoteWrite {
		switch {
		case w.BasicAuth != nil:
			texts[w.keyName("username")] = w.BasicAuth.Username
			values[w.keyName("password")] = w.BasicAuth.Password
		case w.BearerToken != nil:
			values[w.keyName("token")] = w.BearerToken
		}
	}
	if len(values) > 0 {
		objects = append(objects, &corev1.Secret{ObjectMeta: meta(remoteWrite), StringData: texts})
	}
	if a.Thanos != nil {
		objects = append(objects, &corev1.Secret{ObjectMeta: meta(thanos)})
	}
	set, err := manifest.Typed(objects...)
	if err != nil {
		return set, err
	}
	for key, value := range values {
		set.Find("Secret", remoteWrite).Set(value, "stringData", key)
	}
	if a.Thanos != nil {
		set.Find("Secret", thanos).Set(a.storeConfig(), "stringData", storeKey)
	}
	return set, nil
}

// addThanos adds the sidecar, which verifies the object storage with the trust bundle. Nobody talks to it, so it listens on
// the loopback interface of its pod only. What leads to the bucket is a file: as the operator's other way, an argument, it
// would be among what every process of the node may see of others.
func (a Args) addThanos(spec map[string]any) {
	t := a.Thanos
	if t == nil {
		return
	}
	spec["volumes"] = []any{corev1.Volume{Name: trustVolume, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: a.Trust.ConfigMap}},
	}}, corev1.Volume{Name: storeVolume, VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: thanos, DefaultMode: new(int32(0o440))},
	}}}
	spec["thanos"] = map[string]any{
		"image": t.Image, "version": versionOf(t.Image), "resources": t.Resources, "grpcListenLocal": true, "httpListenLocal": true,
		"objectStorageConfigFile": storeDir + "/" + storeKey,
		"volumeMounts": []any{
			corev1.VolumeMount{Name: trustVolume, MountPath: trustDir},
			corev1.VolumeMount{Name: storeVolume, MountPath: storeDir, ReadOnly: true},
		},
	}
}

// storeConfig is how Thanos gets to the bucket. JSON is YAML, too.
func (a Args) storeConfig() pulumi.Output {
	s := a.Thanos.Store
	return pulumi.ToSecret(pulumi.All(s.EndpointURL, s.Keys.AccessKey, s.Keys.SecretKey).ApplyT(func(values []any) (string, error) {
		endpoint, access, secret := values[0].(string), values[1].(string), values[2].(string)
		endpoint, found := strings.CutPrefix(endpoint, "https://")
		if !found {
			return "", fmt.Errorf("Thanos.Store.EndpointURL is %q: allowed is a URL that begins with https://", values[0])
		}
		config, err := json.Marshal(map[string]any{"type": "S3", "prefix": s.Path, "config": map[string]any{
			"bucket": s.Bucket, "endpoint": strings.TrimSuffix(endpoint, "/"), "region": s.Region,
			"access_key": access, "secret_key": secret,
			"http_config": map[string]any{"tls_config": map[string]any{"ca_file": trustDir + "/" + a.Trust.Key}},
		}})
		return string(config), err
	}))
}
