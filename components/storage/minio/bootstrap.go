package minio

import (
	_ "embed" // the script
	"encoding/json"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	// fileManagerUser and backupUser are access keys, and the names of the policies that belong to them.
	fileManagerUser = "file-manager"
	backupUser      = "backups"

	setup         = "bootstrap" // the part that labels tell apart
	setupDigest   = "controlplane.io/bootstrap"
	scriptFile    = "bootstrap.sh"
	lifecycleFile = "lifecycle.json"
	setupDir      = "/etc/minio/bootstrap"
	trustDir      = "/etc/minio/trust"

	// oldVersionDays is how long one can get back what was overwritten or deleted.
	oldVersionDays = 90
	// waitSeconds is how long the set-up waits for the servers, which count as ready before it starts.
	waitSeconds = 300
)

//go:embed bootstrap.sh
var script string

// bootstrap is the Job that sets up buckets, policies and users. A Job runs once; this one is replaced, and so runs
// again, when anything changes that it does.
func (b *builder) bootstrap() (manifest.Set, error) {
	files, err := b.files()
	if err != nil {
		return manifest.Set{}, err
	}
	set, err := manifest.Typed(
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: usersSecret, Labels: labels(setup)}},
		&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: bootstrapName, Labels: labels(setup)}, Data: files,
		},
		b.job(),
	)
	if err != nil {
		return set, err
	}
	passwords := []any{b.root, b.fileManager}
	secret, job := set.Find("Secret", usersSecret), set.Find("Job", bootstrapName)
	secret.Set(b.fileManager, "stringData", fileManagerUser)
	if b.backups != nil {
		secret.Set(*b.backups, "stringData", backupUser)
		passwords = append(passwords, *b.backups)
	}
	contents, err := json.Marshal(files)
	if err != nil {
		return set, fmt.Errorf("digest of the set-up: %w", err)
	}
	job.Set(part.Digest(string(contents), passwords...), "spec", "template", "metadata", "annotations", setupDigest)
	return set, b.args.Classes.Resources(workload.Operator)(job)
}

// files are the script and what it applies.
func (b *builder) files() (map[string]string, error) {
	documents := map[string]any{
		lifecycleFile: lifecycle(),
		// Exactly what the File Manager does: it asks for objects by name, never for lists, and never for versions.
		// MinIO takes the right to delete for one to delete versions as well, unless that is denied.
		policyFile(fileManagerUser): policy(
			allow(objectsOf(b.args.Bucket), "s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
			deny(objectsOf(b.args.Bucket), "s3:DeleteObjectVersion"),
		),
	}
	if b.backups != nil {
		documents[policyFile(backupUser)] = policy(
			allow(arn+b.args.BackupBucket, "s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"),
			allow(objectsOf(b.args.BackupBucket), "s3:PutObject", "s3:GetObject", "s3:DeleteObject",
				"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
		)
	}
	files := map[string]string{scriptFile: script}
	for file, document := range documents {
		text, err := json.MarshalIndent(document, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		files[file] = string(text) + "\n"
	}
	return files, nil
}

func policyFile(user string) string { return "policy-" + user + ".json" }

// policy is a policy document in the language of AWS.
func policy(statements ...map[string]any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}

func allow(resource string, actions ...string) map[string]any {
	return statement("Allow", resource, actions)
}

func deny(resource string, actions ...string) map[string]any {
	return statement("Deny", resource, actions)
}

func statement(effect, resource string, actions []string) map[string]any {
	return map[string]any{"Effect": effect, "Action": actions, "Resource": []string{resource}}
}

// arn comes before the name of a bucket or of objects in a policy.
const arn = "arn:aws:s3:::"

func objectsOf(bucket string) string { return arn + bucket + "/*" }

// lifecycle removes old versions, and what is left of objects that have no other version.
func lifecycle() map[string]any {
	return map[string]any{"Rules": []map[string]any{{
		"ID": "old-versions", "Status": "Enabled",
		"Expiration":                  map[string]any{"ExpiredObjectDeleteMarker": true},
		"NoncurrentVersionExpiration": map[string]any{"NoncurrentDays": oldVersionDays},
	}}}
}

func (b *builder) job() *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: bootstrapName, Labels: labels(setup)},
		Spec: batchv1.JobSpec{
			BackoffLimit: new(int32(3)),
			// Less than the ten minutes that an up waits for a Job, so that the Job says why.
			ActiveDeadlineSeconds: new(int64(570)),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels(setup)},
				Spec: corev1.PodSpec{
					RestartPolicy:                corev1.RestartPolicyNever, // the logs of failed pods stay
					AutomountServiceAccountToken: new(false),
					EnableServiceLinks:           new(false),
					SecurityContext:              podSecurity(),
					Containers:                   []corev1.Container{b.setupContainer()},
					Volumes: []corev1.Volume{
						configMap(setup, bootstrapName), configMap("trust", b.args.Trust.ConfigMap),
						{Name: tempVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
					},
				},
			},
		},
	}
}

func configMap(volume, configMapName string) corev1.Volume {
	return corev1.Volume{Name: volume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: configMapName},
	}}}
}

func (b *builder) setupContainer() corev1.Container {
	env := []corev1.EnvVar{
		{Name: "HOME", Value: tempDir},
		{Name: "MC_CONFIG_DIR", Value: tempDir + "/mc"},
		{Name: "SSL_CERT_FILE", Value: trustDir + "/" + b.args.Trust.Key},
		{Name: "ENDPOINT", Value: Endpoint},
		{Name: "SETUP_DIR", Value: setupDir},
		{Name: "WAIT_SECONDS", Value: fmt.Sprint(waitSeconds)},
		{Name: "ROOT_USER", ValueFrom: secretKey(rootSecret, "user")},
		{Name: "ROOT_PASSWORD", ValueFrom: secretKey(rootSecret, "password")},
		{Name: "BUCKET", Value: b.args.Bucket},
		{Name: "FILE_MANAGER_PASSWORD", ValueFrom: secretKey(usersSecret, fileManagerUser)},
	}
	if b.backups != nil {
		env = append(env,
			corev1.EnvVar{Name: "BACKUP_BUCKET", Value: b.args.BackupBucket},
			corev1.EnvVar{Name: "BACKUP_PASSWORD", ValueFrom: secretKey(usersSecret, backupUser)},
		)
	}
	return corev1.Container{
		Name: setup, Image: b.args.Image, Command: []string{"/bin/sh", strings.Join([]string{setupDir, scriptFile}, "/")}, Env: env,
		VolumeMounts: []corev1.VolumeMount{
			{Name: setup, MountPath: setupDir, ReadOnly: true},
			{Name: "trust", MountPath: trustDir, ReadOnly: true},
			{Name: tempVolume, MountPath: tempDir},
		},
	}
}
