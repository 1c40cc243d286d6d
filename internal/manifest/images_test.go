package manifest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

func TestEveryImageComesFromTheMirror(t *testing.T) {
	set := manifest.Merge(render(t, certManager(t)), render(t, trustManager(t)))
	require.NoError(t, set.Transform(manifest.MirrorImages("mirror.example.com/platform/")))

	count := 0
	for _, o := range set.Objects {
		for _, image := range images(t, o) {
			count++
			require.True(t, strings.HasPrefix(image, "mirror.example.com/platform/quay.io/jetstack/"), image)
		}
	}
	require.Equal(t, 5, count, "controller, webhook, cainjector, trust-manager and its package")
	require.Contains(t, container(t, set.Find("Deployment", "cert-manager"))["args"],
		"--acme-http01-solver-image=mirror.example.com/platform/quay.io/jetstack/cert-manager-acmesolver:v1.21.2")
	require.Contains(t, images(t, set.Find("Job", "cert-manager-startupapicheck"))[0], "mirror.example.com/platform/quay.io/")

	again := set.DeepCopy()
	require.NoError(t, again.Transform(manifest.MirrorImages("mirror.example.com/platform")))
	require.Equal(t, set, again, "what is on the mirror stays there")
}

func TestMirroredNames(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for image, want := range map[string]string{
		"nginx":                    "mirror/docker.io/library/nginx",
		"nginx:1.27":               "mirror/docker.io/library/nginx:1.27",
		"bitnami/redis":            "mirror/docker.io/bitnami/redis",
		"docker.io/library/nginx":  "mirror/docker.io/library/nginx",
		"ghcr.io/a/b:v1" + digest:  "mirror/ghcr.io/a/b:v1" + digest,
		"quay.io/a/b" + digest:     "mirror/quay.io/a/b" + digest,
		"registry.local:5000/a:v1": "mirror/registry.local-5000/a:v1",
		"mirror/quay.io/a/b:v1":    "mirror/quay.io/a/b:v1",
	} {
		set := parse(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: demo}\nspec: {containers: [{name: a, image: '"+image+"'}]}\n")
		require.NoError(t, set.Transform(manifest.MirrorImages("mirror")))
		require.Equal(t, want, container(t, set.Objects[0])["image"])
	}
}

func TestImagesOutsideOfImageFields(t *testing.T) {
	set := parse(t, `apiVersion: v1
kind: Pod
metadata: {name: demo, annotations: {image: nginx}}
spec:
  volumes:
  - {name: content, image: {reference: "quay.io/a/content:v1"}}
  containers:
  - name: a
    image: quay.io/a/operator:v1
    args:
    - --config-reloader=quay.io/a/reloader:v1
    - --sidecar-image
    - quay.io/a/sidecar
    - --image-pull-secret=registry/credentials
    - --address=metrics.example.com:8080
    - --url=https://quay.io/a/b:v1
    - quay.io/a/plain:v1
    - --namespace=a/b
    env:
    - {name: RELATED_IMAGE_X, value: "quay.io/a/x:v1"}
    - {name: HOME, value: /home/nonroot}
    - {name: FROM, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
---
apiVersion: postgresql.cnpg.io/v1
kind: Cluster
metadata: {name: demo}
spec: {imageName: "ghcr.io/cloudnative-pg/postgresql:17"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: demo}
data: {image: nginx}
`)
	require.NoError(t, set.Transform(manifest.MirrorImages("mirror")))

	pod := set.Find("Pod", "demo")
	require.Equal(t, map[string]string{"image": "nginx"}, pod.GetAnnotations())
	require.Equal(t, []any{
		"--config-reloader=mirror/quay.io/a/reloader:v1",
		"--sidecar-image",
		"mirror/quay.io/a/sidecar",
		"--image-pull-secret=registry/credentials",
		"--address=metrics.example.com:8080",
		"--url=https://quay.io/a/b:v1",
		"mirror/quay.io/a/plain:v1",
		"--namespace=a/b",
	}, container(t, pod)["args"])
	env := container(t, pod)["env"].([]any)
	require.Equal(t, "mirror/quay.io/a/x:v1", env[0].(map[string]any)["value"])
	require.Equal(t, "/home/nonroot", env[1].(map[string]any)["value"])
	volume := pod.Object["spec"].(map[string]any)["volumes"].([]any)[0].(map[string]any)
	require.Equal(t, "mirror/quay.io/a/content:v1", volume["image"].(map[string]any)["reference"])
	require.Equal(t, "mirror/ghcr.io/cloudnative-pg/postgresql:17", set.Find("Cluster", "demo").Object["spec"].(map[string]any)["imageName"])
	require.Equal(t, "nginx", set.Find("ConfigMap", "demo").Object["data"].(map[string]any)["image"])
}

func TestAnImageThatIsNoneIsAnError(t *testing.T) {
	set := parse(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: demo}\nspec: {containers: [{name: a, image: 'Not An Image'}]}\n")
	err := set.Transform(manifest.MirrorImages("mirror"))
	require.ErrorContains(t, err, "Pod demo (test.yaml)")
	require.ErrorContains(t, err, `image "Not An Image"`)
}
