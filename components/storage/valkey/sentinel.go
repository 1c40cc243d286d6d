package valkey

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// sentinels is the StatefulSet of those that elect the primary. What they know lies in a directory of the pod: it
// survives the container and the node's restart, and a new pod asks the other sentinels.
func (b *builder) sentinels() (manifest.Set, error) {
	container := probed(corev1.Container{
		Name: "sentinel", Image: b.args.Images.Server, Command: script("sentinel.sh"),
		Ports: []corev1.ContainerPort{{Name: "sentinel", ContainerPort: sentinelPort}},
		Env: append(b.scriptEnv(sentinelsName, sentinelPort, sentinelsName),
			secretVariable("SENTINEL_PASSWORD", sentinelsName, "sentinel"),
			secretVariable("PEER_PASSWORD", sentinelsName, "peer")),
		VolumeMounts: podMounts(),
	})
	set, err := manifest.Typed(statefulSet(sentinel, sentinelsName, sentinelsName, b.args.Sentinels, corev1.PodSpec{
		AutomountServiceAccountToken: new(false),
		SecurityContext:              runAs(valkeyUser),
		Containers:                   []corev1.Container{container},
		Volumes:                      podVolumes(sentinelsName, sentinelTLS, corev1.StorageMediumDefault),
	}))
	if err != nil {
		return set, err
	}
	texts, err := scriptTexts()
	if err != nil {
		return set, err
	}
	maps.Copy(texts, sentinelConfig())
	return set, rolls(set, "StatefulSet", sentinelsName, texts, b.sentinelUsers())
}
