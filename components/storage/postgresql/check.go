package postgresql

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
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
	// trustDir is where the Job finds the trust bundle.
	trustDir = "/run/trust"
)

// LoginScript logs in until that works, and says what it waits for. psql takes everything else from its environment.
var LoginScript = fmt.Sprintf(`deadline=$(($(date +%%s) + %d))
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

// Check is a Job that logs in to each of a cluster's databases as its clients do: by the same name, verified by the same
// bundle, with the same password. A new password is taken over in the database's own time, so the Job, which runs only
// once, is another one then.
type Check struct {
	part.Common
	// Cluster is the name of the cluster; Image has psql and a shell.
	Cluster, Image string
	// Connections are those to be tried.
	Connections []Connection
	// Before are containers that run first, one after the other, made by Client.
	Before []corev1.Container
	// Again are values that the Job has to run again for, beside the passwords.
	Again []any
}

// CheckPods are the pods of a cluster's Job.
func CheckPods(cluster string) flow.Peer { return peer(checkLabels(cluster)) }

func checkName(cluster string) string { return cluster + "-check" }

func checkLabels(cluster string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": checkName(cluster), componentLabel: "check"}
}

// Job is the Job.
func (c Check) Job() (manifest.Set, error) {
	pod := corev1.PodSpec{
		RestartPolicy:                corev1.RestartPolicyNever,
		AutomountServiceAccountToken: new(false),
		EnableServiceLinks:           new(false),
		SecurityContext:              &corev1.PodSecurityContext{RunAsUser: new(int64(postgresUser)), RunAsGroup: new(int64(postgresUser))},
		InitContainers:               c.Before,
		Volumes: []corev1.Volume{{Name: "trust", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: c.Trust.ConfigMap},
		}}}},
	}
	var passwords []any
	for _, each := range c.Connections {
		pod.Containers = append(pod.Containers, c.Client(kubernetesName(each.Database), LoginScript, each))
		passwords = append(passwords, each.Password)
	}
	labels := checkLabels(c.Cluster)
	set, err := manifest.Typed(&batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: checkName(c.Cluster), Labels: labels},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(3)), ActiveDeadlineSeconds: new(int64(checkDeadline + 60)),
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod},
		},
	})
	if err != nil {
		return set, err
	}
	c.setHosts(set.Objects[0])
	set.Objects[0].Set(part.Digest("", append(passwords, c.Again...)...), "spec", "template", "metadata", "annotations", loginsDigest)
	set.Objects[0].Options = []pulumi.ResourceOption{pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "15m", Update: "15m"})}
	return set, set.Transform(c.Classes.Resources(workload.Operator), workload.Restrict())
}

// Client is a container that runs a script with psql, which finds all that it needs in the environment. The host is
// added by Job.
func (c Check) Client(name, script string, to Connection) corev1.Container {
	return corev1.Container{
		Name: name, Image: c.Image, Command: []string{"sh", "-c", script},
		Env: []corev1.EnvVar{
			{Name: "PGHOST"}, {Name: "PGPORT", Value: fmt.Sprint(to.Port)},
			{Name: "PGDATABASE", Value: to.Database}, {Name: "PGUSER", Value: to.User},
			{Name: "PGPASSWORD", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: to.SecretName}, Key: corev1.BasicAuthPasswordKey,
			}}},
			{Name: "PGSSLMODE", Value: "verify-full"}, {Name: "PGSSLROOTCERT", Value: trustDir + "/" + c.Trust.Key},
			{Name: "PGCONNECT_TIMEOUT", Value: "5"},
		},
		VolumeMounts:             []corev1.VolumeMount{{Name: "trust", MountPath: trustDir, ReadOnly: true}},
		TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
	}
}

// setHosts fills in what PGHOST, the first variable of each container, is. What runs before the logins goes to the
// primary.
func (c Check) setHosts(job *manifest.Object) {
	set := func(host pulumi.StringInput, kind string, i int) {
		job.Set(host, "spec", "template", "spec", kind, strconv.Itoa(i), "env", "0", "value")
	}
	for i := range c.Before {
		set(c.Connections[0].Primary, "initContainers", i)
	}
	for i, each := range c.Connections {
		set(each.Host, "containers", i)
	}
}

// check is the Job of a cluster. Databases beside the first one are created by the primary in its own time, so nothing
// but a login shows that they are there.
func (b *builder) check(p plan) (manifest.Set, error) {
	c := Check{Common: b.args.Common, Cluster: p.Name, Image: p.Image}
	for _, d := range p.Databases {
		c.Connections = append(c.Connections, b.databases[d.Name])
	}
	return c.Job()
}
