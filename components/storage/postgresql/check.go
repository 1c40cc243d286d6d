package postgresql

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	// loginsDigest changes with the passwords.
	loginsDigest = "controlplane.io/logins"
	// checkDeadline is how long a login is tried, in seconds.
	checkDeadline = 600
	// postgresUser is the user of the database's image.
	postgresUser = 26
)

// checkScript logs in until that works, and says what it waits for. psql takes everything else from its environment.
var checkScript = fmt.Sprintf(`deadline=$(($(date +%%s) + %d))
until why=$(psql --no-psqlrc --quiet --tuples-only --command 'SELECT 1' 2>&1 >/dev/null); do
  if [ "$(date +%%s)" -ge "$deadline" ]; then
    echo "gave up on database $PGDATABASE at $PGHOST: $why"
    exit 1
  fi
  echo "waiting for database $PGDATABASE at $PGHOST: $why"
  sleep 3
done
echo "logged in to database $PGDATABASE at $PGHOST as $PGUSER"
`, checkDeadline)

// check is a Job that logs in to each of a cluster's databases as its clients do: by the same service, verified by the
// same bundle, with the same password. Databases beside the first one are created by the primary in its own time, so
// nothing but a login shows that they are there. A new password is taken over in the primary's own time as well, so the
// Job, which runs only once, is another one then.
func (b *builder) check(p plan) (manifest.Set, error) {
	name, labels := p.checkName(), checkLabels(p)
	pod := corev1.PodSpec{
		RestartPolicy:                corev1.RestartPolicyNever,
		AutomountServiceAccountToken: new(false),
		EnableServiceLinks:           new(false),
		SecurityContext:              &corev1.PodSecurityContext{RunAsUser: new(int64(postgresUser)), RunAsGroup: new(int64(postgresUser))},
		Volumes: []corev1.Volume{{Name: "trust", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: b.args.Trust.ConfigMap},
		}}}},
	}
	var passwords []any
	for _, d := range p.Databases {
		c := b.databases[d.Name]
		pod.Containers = append(pod.Containers, b.login(p, c))
		passwords = append(passwords, c.Password)
	}
	set, err := manifest.Typed(&batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name, Labels: labels},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(3)), ActiveDeadlineSeconds: new(int64(checkDeadline + 60)),
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	})
	if err != nil {
		return set, err
	}
	set.Objects[0].Set(part.Digest("", passwords...), "spec", "template", "metadata", "annotations", loginsDigest)
	set.Objects[0].Options = []pulumi.ResourceOption{pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "15m", Update: "15m"})}
	return set, set.Transform(b.args.Classes.Resources(workload.Operator), workload.Restrict())
}

func (p plan) checkName() string { return p.Name + "-check" }

func checkLabels(p plan) map[string]string {
	return map[string]string{"app.kubernetes.io/name": p.checkName(), componentLabel: "check"}
}

// login is the container that tries one database.
func (b *builder) login(p plan, c Connection) corev1.Container {
	const trust = "/run/trust"
	return corev1.Container{
		Name: kubernetesName(c.Database), Image: p.Image, Command: []string{"sh", "-c", checkScript},
		Env: []corev1.EnvVar{
			{Name: "PGHOST", Value: c.Host}, {Name: "PGPORT", Value: fmt.Sprint(c.Port)},
			{Name: "PGDATABASE", Value: c.Database}, {Name: "PGUSER", Value: c.User},
			{Name: "PGPASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: c.SecretName}, Key: corev1.BasicAuthPasswordKey,
			}}},
			{Name: "PGSSLMODE", Value: "verify-full"}, {Name: "PGSSLROOTCERT", Value: trust + "/" + b.args.Trust.Key},
			{Name: "PGCONNECT_TIMEOUT", Value: "5"},
		},
		VolumeMounts:             []corev1.VolumeMount{{Name: "trust", MountPath: trust, ReadOnly: true}},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
}
