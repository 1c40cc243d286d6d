package elasticache

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	checkName = "valkey-check"
	// loginsDigest changes with the password.
	loginsDigest = "controlplane.io/logins"
	// checkDeadline is how long it is tried, in seconds.
	checkDeadline = 600
	// valkeyUser is the user of Valkey's image.
	valkeyUser = 999
	trustDir   = "/run/trust"
)

// checkScript asks the cache until it answers, and says what it waits for. The client takes the password from its
// environment.
var checkScript = fmt.Sprintf(`deadline=$(($(date +%%s) + %d))
until answer=$(valkey-cli -h "$HOST" -p "$PORT" --tls --cacert "$AUTHORITIES" --no-auth-warning PING 2>&1) && [ "$answer" = PONG ]; do
  if [ "$(date +%%s)" -ge "$deadline" ]; then
    echo "gave up on the cache at $HOST: $answer"
    exit 1
  fi
  echo "waiting for the cache at $HOST: $answer"
  sleep 3
done
echo "the cache at $HOST answers"
`, checkDeadline)

func checkLabels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": checkName, "app.kubernetes.io/component": "check"}
}

// checkPods are those of the Job.
func checkPods() flow.Peer { return flow.Peer{Namespace: valkey.Namespace, Pods: checkLabels()} }

// check is a Job that uses the cache as clients do: by the same name, with the same authorities and the same password. It
// runs only once, so it is another one for another password, and for another group of servers.
func (b *builder) check(made *group, password pulumi.StringInput) (manifest.Set, error) {
	pod := corev1.PodSpec{
		RestartPolicy:                corev1.RestartPolicyNever,
		AutomountServiceAccountToken: new(false),
		EnableServiceLinks:           new(false),
		SecurityContext:              &corev1.PodSecurityContext{RunAsUser: new(int64(valkeyUser)), RunAsGroup: new(int64(valkeyUser))},
		Containers: []corev1.Container{{
			Name: "check", Image: b.args.Image, Command: []string{"sh", "-c", checkScript},
			Env: []corev1.EnvVar{
				{Name: "HOST"}, // known only at run time: see below
				{Name: "PORT", Value: fmt.Sprint(valkey.Port)},
				{Name: "AUTHORITIES", Value: trustDir + "/" + b.args.Trust.Key},
				{Name: "REDISCLI_AUTH", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: valkey.SecretName}, Key: "password",
				}}},
			},
			VolumeMounts:             []corev1.VolumeMount{{Name: "trust", MountPath: trustDir, ReadOnly: true}},
			TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
		}},
		Volumes: []corev1.Volume{{Name: "trust", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: b.args.Trust.ConfigMap},
		}}}},
	}
	set, err := manifest.Typed(&batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: valkey.Namespace, Name: checkName, Labels: checkLabels()},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(3)), ActiveDeadlineSeconds: new(int64(checkDeadline + 60)),
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: checkLabels()}, Spec: pod},
		},
	})
	if err != nil {
		return set, err
	}
	job := set.Objects[0]
	job.Set(made.PrimaryEndpoint, "spec", "template", "spec", "containers", "0", "env", "0", "value")
	job.Set(part.Digest("", password, made.ID()), "spec", "template", "metadata", "annotations", loginsDigest)
	job.Options = []pulumi.ResourceOption{pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "15m", Update: "15m"})}
	return set, set.Transform(b.args.Classes.Resources(workload.Operator), workload.Restrict())
}
