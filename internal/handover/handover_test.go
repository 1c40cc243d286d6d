package handover

import (
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the expectations anew")

const (
	repository = "testdata/controlplane"
	bundle     = repository + "/install/bundle"
)

// outputs are those that a stack had on the local control plane, with other passwords.
func outputs(t *testing.T, stack string) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/outputs/" + stack + ".json")
	require.NoError(t, err)
	var values map[string]any
	require.NoError(t, json.Unmarshal(data, &values))
	return values
}

// secrets are the secret values in the outputs.
var secrets = []string{"example-iris-password", "example-rover-secret", "example-gateway-password", "example-redis-password"}

// TestDirectory compares everything that is written for each stack with what was looked through before.
func TestDirectory(t *testing.T) {
	for _, stack := range []string{"dev", "onprem", "prod"} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "handover")
			contract, err := Write(stack, outputs(t, stack), Options{Dir: dir})
			require.NoError(t, err)
			text, paths := contents(t, dir)
			golden := "testdata/golden/" + stack + ".txt"
			if *update {
				require.NoError(t, os.MkdirAll("testdata/golden", 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(text), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), text, "go test ./internal/handover -update writes it anew")
			var listed []string
			for _, f := range contract.Files {
				listed = append(listed, f.Path)
			}
			assert.Equal(t, paths, listed)
		})
	}
}

// contents are the files of a directory, one after the other.
func contents(t *testing.T, dir string) (text string, paths []string) {
	t.Helper()
	var b strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		relative, _ := filepath.Rel(dir, path)
		paths = append(paths, filepath.ToSlash(relative))
		b.WriteString("==> " + filepath.ToSlash(relative) + " <==\n" + string(data))
		return err
	}))
	slices.Sort(paths)
	return b.String(), paths
}

// Passwords are in the files of the zone, which nobody else may read, and nowhere else.
func TestSecrets(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "handover")
	_, err := Write("onprem", outputs(t, "onprem"), Options{Dir: dir})
	require.NoError(t, err)
	for path, mode := range map[string]fs.FileMode{".": 0o700, "zone": 0o700, "zone/zone.yaml": 0o600, "zone/environment.yaml": 0o600} {
		info, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
	}
	_, paths := contents(t, dir)
	for _, path := range paths {
		data, err := os.ReadFile(filepath.Join(dir, path))
		require.NoError(t, err)
		for _, secret := range secrets {
			if strings.Contains(string(data), secret) {
				assert.Equal(t, "zone/zone.yaml", path, "it holds %s", secret)
			}
		}
	}
}

// built is the Control Plane as the overlay makes it.
func built(t *testing.T, stack string, change func(values map[string]any, o *Options)) resmap.ResMap {
	t.Helper()
	values, o := outputs(t, stack), Options{Dir: filepath.Join(t.TempDir(), "handover"), Base: bundle}
	if change != nil {
		change(values, &o)
	}
	_, err := Write(stack, values, o)
	require.NoError(t, err)
	objects, err := Build(filepath.Join(o.Dir, "overlay"))
	require.NoError(t, err)
	return objects
}

// deployments of the built Control Plane, by name.
func deployments(t *testing.T, objects resmap.ResMap) map[string]appsv1.Deployment {
	t.Helper()
	all := map[string]appsv1.Deployment{}
	for _, o := range objects.Resources() {
		if o.GetKind() == "Deployment" {
			var d appsv1.Deployment
			data, err := o.AsYAML()
			require.NoError(t, err)
			require.NoError(t, yaml.UnmarshalStrict(data, &d))
			all[d.Name] = d
		}
	}
	require.Len(t, all, 14)
	return all
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	zonal := deployments(t, built(t, "onprem", nil))
	t.Run("every pod is admitted to a restricted namespace", func(t *testing.T) {
		evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
		require.NoError(t, err)
		level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
		for name, d := range zonal {
			for _, r := range evaluator.EvaluatePod(level, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec) {
				assert.True(t, r.Allowed, "%s: %s", name, r.ForbiddenDetail)
			}
		}
	})
	t.Run("replicas and resources follow from the availability and the published table", func(t *testing.T) {
		single := deployments(t, built(t, "dev", nil))
		for name, want := range map[string]struct {
			zonal, single int32
			memory        string
		}{
			"rover-controller-manager": {2, 1, "512Mi"}, "projector-controller-manager": {2, 1, "512Mi"},
			"rover-server": {3, 1, "1Gi"}, "file-manager": {3, 1, "1Gi"}, "controlplane-api": {3, 1, "1Gi"},
		} {
			assert.Equal(t, want.zonal, *zonal[name].Spec.Replicas, name)
			assert.Equal(t, want.single, *single[name].Spec.Replicas, name)
			pod := zonal[name].Spec.Template.Spec
			assert.Equal(t, want.memory, pod.Containers[0].Resources.Limits.Memory().String(), name)
			assert.Len(t, pod.TopologySpreadConstraints, 2, name)
			assert.Empty(t, single[name].Spec.Template.Spec.TopologySpreadConstraints, name)
		}
	})
	t.Run("each replicated part has a budget that selects its pods", func(t *testing.T) {
		budgets := 0
		for _, o := range built(t, "onprem", nil).Resources() {
			if o.GetKind() == "PodDisruptionBudget" {
				budgets++
				part, err := o.GetString(`spec.selector.matchLabels.controlplane\.io/part`)
				require.NoError(t, err)
				assert.True(t, slices.ContainsFunc(slices.Collect(maps.Values(zonal)), func(d appsv1.Deployment) bool {
					return d.Spec.Template.Labels[partLabel] == part
				}), part)
			}
		}
		assert.Equal(t, len(zonal), budgets)
	})
	t.Run("settings reach the pods that read them", func(t *testing.T) {
		objects := built(t, "prod", nil)
		files := deployments(t, objects)["file-manager"].Spec.Template.Spec
		assert.Contains(t, configMap(t, objects, volume(files, "config"))["config.yaml"], "role_arn: arn:aws:iam::")
		assert.Contains(t, configMap(t, objects, volume(files, "config"))["config.yaml"], "token_path: /var/run/secrets/platform-bucket/token")
		assert.True(t, slices.ContainsFunc(files.Volumes, func(v corev1.Volume) bool {
			return v.Name == "platform-bucket-token" && v.Projected.Sources[0].ServiceAccountToken.Audience == "sts.amazonaws.com"
		}), "the token is where the settings say, whatever the release mounts")
		assert.True(t, slices.ContainsFunc(files.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
			return m.Name == "platform-bucket-token" && m.MountPath == "/var/run/secrets/platform-bucket"
		}))
		rover := deployments(t, objects)["rover-server"].Spec.Template.Spec.Containers[0]
		assert.Equal(t, "https://iris.prod.controlplane.internal/auth/realms/rover",
			configMap(t, objects, rover.EnvFrom[1].ConfigMapRef.Name)["LISTENERS_EXTERNAL_JWT_TRUSTEDISSUERS"])
		assert.Equal(t, "ghcr.io/telekom/controlplane/rover-server:"+DefaultVersion, rover.Image)
	})
	t.Run("the File Manager finds its keys where the stack has put them", func(t *testing.T) {
		files := zonal["file-manager"].Spec.Template.Spec.Containers[0]
		names := map[string]string{}
		for _, e := range files.Env {
			if e.ValueFrom != nil {
				names[e.Name] = e.ValueFrom.SecretKeyRef.Name + "/" + e.ValueFrom.SecretKeyRef.Key
			}
		}
		assert.Equal(t, map[string]string{
			"MINIO_ROOT_USER": "minio-file-manager/accessKey", "MINIO_ROOT_PASSWORD": "minio-file-manager/secretKey",
		}, names)
	})
	t.Run("a mirror, a mesh and an external authority", func(t *testing.T) {
		objects := built(t, "onprem", func(values map[string]any, o *Options) {
			values["imageMirror"], values["mesh"], values["controlPlaneIssuer"] = "registry.example.com/mirror", "istio", true
			o.WithoutAPI = false
		})
		assert.Equal(t, "registry.example.com/mirror/ghcr.io/telekom/controlplane/admin:"+DefaultVersion,
			deployments(t, objects)["admin-controller-manager"].Spec.Template.Spec.Containers[0].Image)
		text, err := objects.AsYaml()
		require.NoError(t, err)
		assert.Contains(t, string(text), "port: 15008")
		assert.NotContains(t, string(text), "name: controlplane-root-ca", "the Control Plane makes no authority of its own")
		assert.NotContains(t, string(text), "selfSigned")
	})
}

func volume(pod corev1.PodSpec, name string) string {
	for _, v := range pod.Volumes {
		if v.Name == name {
			return v.ConfigMap.Name
		}
	}
	return ""
}

func configMap(t *testing.T, objects resmap.ResMap, name string) map[string]string {
	t.Helper()
	for _, o := range objects.Resources() {
		if o.GetKind() == "ConfigMap" && o.GetName() == name {
			return o.GetDataMap()
		}
	}
	require.Failf(t, "no such ConfigMap", name)
	return nil
}

// What cannot be handed over is an error that says why, and leaves the directory as it was.
func TestRefused(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, change func(values map[string]any, o *Options)) (string, error) {
		values, o := outputs(t, "dev"), Options{Dir: filepath.Join(t.TempDir(), "handover")}
		change(values, &o)
		_, err := Write("dev", values, o)
		entries, _ := os.ReadDir(filepath.Dir(o.Dir))
		for _, e := range entries {
			assert.Equal(t, filepath.Base(o.Dir), e.Name(), "nothing is left behind")
		}
		return o.Dir, err
	}
	for name, c := range map[string]struct {
		change func(values map[string]any, o *Options)
		want   string
	}{
		"outputs of an older version":     {func(v map[string]any, _ *Options) { delete(v, "mesh"); delete(v, "secretNames") }, "no output mesh, secretNames: run up"},
		"an empty password":               {func(v map[string]any, _ *Options) { v["redis"].(map[string]any)["password"] = "" }, "redis.password"},
		"storage by neither key nor role": {func(v map[string]any, _ *Options) { delete(v, "s3CredentialsSecretName") }, "s3RoleArn, s3StsEndpoint"},
		"a release without a bundle":      {func(_ map[string]any, o *Options) { o.Version = "v0.21.4" }, "v0.22.0 and newer"},
		"a name that no zone may have":    {func(_ map[string]any, o *Options) { o.Zone = "Zone_1" }, `zone: "Zone_1" must be lower-case`},
		"a base that is none":             {func(_ map[string]any, o *Options) { o.Base = "testdata" }, "testdata holds no kustomization.yaml"},
		"a URL as a domain":               {func(_ map[string]any, o *Options) { o.Domain = "https://example.com" }, "domain: \"https://example.com\" must be the name of a host"},
		"a URL as a gateway's host":       {func(_ map[string]any, o *Options) { o.GatewayHostname = "gw.example.com/" }, "gateway-host: \"gw.example.com/\""},
		"mail from nobody":                {func(_ map[string]any, o *Options) { o.SMTP = &SMTP{Host: "mail.example.com"} }, "smtp-from"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := write(t, c.change)
			require.ErrorContains(t, err, c.want)
			assert.NoDirExists(t, dir)
		})
	}
	t.Run("a directory that holds something else", func(t *testing.T) {
		dir, err := write(t, func(_ map[string]any, o *Options) {
			require.NoError(t, os.MkdirAll(o.Dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(o.Dir, "thesis.txt"), []byte("mine"), 0o600))
		})
		require.ErrorContains(t, err, "holds thesis.txt, which is not of an earlier handover")
		assert.FileExists(t, filepath.Join(dir, "thesis.txt"))
	})
	t.Run("an earlier handover to which somebody has added", func(t *testing.T) {
		o := Options{Dir: filepath.Join(t.TempDir(), "handover")}
		_, err := Write("dev", outputs(t, "dev"), o)
		require.NoError(t, err)
		_, err = Write("dev", outputs(t, "dev"), o)
		require.NoError(t, err, "nobody has added anything")
		added := filepath.Join(o.Dir, "overlay", "mine.yaml")
		require.NoError(t, os.WriteFile(added, []byte("mine"), 0o600))
		_, err = Write("dev", outputs(t, "dev"), o)
		require.ErrorContains(t, err, "holds overlay/mine.yaml")
		assert.FileExists(t, added)
	})
	t.Run("an overlay that does not fit leaves the earlier one", func(t *testing.T) {
		other := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(other, "kustomization.yaml"), []byte("resources: [rover-server.yaml]\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(other, "rover-server.yaml"), []byte("apiVersion: apps/v1\nkind: Deployment\n"+
			"metadata: {name: rover-server}\nspec: {template: {spec: {containers: [{name: renamed, image: rover}]}}}\n"), 0o600))
		dir := filepath.Join(t.TempDir(), "handover")
		_, err := Write("dev", outputs(t, "dev"), Options{Dir: dir})
		require.NoError(t, err)
		_, err = Write("dev", outputs(t, "dev"), Options{Dir: dir, Base: other})
		require.ErrorContains(t, err, "there is no container server in Deployment rover-server")
		assert.FileExists(t, filepath.Join(dir, "README.md"))
	})
}
