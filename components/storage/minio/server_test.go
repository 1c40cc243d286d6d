package minio_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	client "github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/metrics"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

const files, backups = "controlplane-files", "controlplane-backups"

// single starts one server with the rendered command line, environment and certificates, and sets it up twice.
func single(t *testing.T) *installation {
	t.Helper()
	i := install(t, 1)
	_, port, err := net.SplitHostPort(i.addresses[0])
	require.NoError(t, err)
	i.servers = append(i.servers, i.Start(t, process.Spec{
		Workload: "StatefulSet/minio", Dir: i.dir, Programs: i.programs, Replace: []string{":9000", "127.0.0.1:" + port},
	}))
	// The first one starts at once, before the server answers.
	for range 2 {
		code, said := i.setUp(t, 0)
		require.Zero(t, code, said)
		for _, k := range []keys{i.root(), i.fileManager()} {
			assert.NotContains(t, said, k.secret, "no password is logged")
		}
	}
	return i
}

func TestOneServer(t *testing.T) {
	i := single(t)
	t.Run("the File Manager's calls work", i.fileManagerWorks)
	t.Run("deleted files can be got back", i.versionsStay)
	t.Run("the File Manager can do nothing else", i.fileManagerIsBounded)
	t.Run("backups have a bucket of their own", i.backupsWork)
	t.Run("nobody gets in without TLS", i.onlyTLS)
	t.Run("metrics", i.metrics)
	t.Run("a new password, and no more backups", i.changesAreApplied)
	t.Run("a restart loses nothing", i.restart)
}

func (i *installation) fileManagerWorks(t *testing.T) {
	ctx, c := t.Context(), i.client(t, 0, i.fileManager())
	const content = "openapi: 3.1.0"
	sum := sha256.Sum256([]byte(content))
	info, err := c.PutObject(ctx, files, "env/group/team/api", strings.NewReader(content), int64(len(content)),
		client.PutObjectOptions{ContentType: "text/plain", Checksum: client.ChecksumSHA256})
	require.NoError(t, err)
	assert.Equal(t, base64.StdEncoding.EncodeToString(sum[:]), info.ChecksumSHA256, "the server has checked what it got")
	info, err = put(ctx, c, files, "env/group/team/other", content, client.ChecksumCRC64NVME)
	require.NoError(t, err)
	assert.NotEmpty(t, info.ChecksumCRC64NVME)

	stat, err := c.StatObject(ctx, files, "env/group/team/api", client.StatObjectOptions{Checksum: true})
	require.NoError(t, err)
	assert.Equal(t, "text/plain", stat.ContentType)
	assert.Equal(t, base64.StdEncoding.EncodeToString(sum[:]), stat.ChecksumSHA256)
	stat, err = c.StatObject(ctx, files, "env/group/team/other", client.StatObjectOptions{})
	require.NoError(t, err)
	assert.Equal(t, "any", stat.UserMetadata["X-File-Checksum"])
	read, err := get(ctx, c, files, "env/group/team/api")
	require.NoError(t, err)
	assert.Equal(t, content, read)

	large := strings.Repeat("x", 17<<20) // more than a part
	_, err = put(ctx, c, files, "large", large, client.ChecksumSHA256)
	require.NoError(t, err)
	read, err = get(ctx, c, files, "large")
	require.NoError(t, err)
	assert.Len(t, read, len(large))

	require.NoError(t, c.RemoveObject(ctx, files, "env/group/team/api", client.RemoveObjectOptions{}))
	_, err = c.StatObject(ctx, files, "env/group/team/api", client.StatObjectOptions{})
	assert.Error(t, err, "the file is gone")
}

func (i *installation) versionsStay(t *testing.T) {
	ctx, root := t.Context(), i.client(t, 0, i.root())
	versioning, err := root.GetBucketVersioning(ctx, files)
	require.NoError(t, err)
	assert.True(t, versioning.Enabled())
	var versions, markers int
	for o := range root.ListObjects(ctx, files, client.ListObjectsOptions{Prefix: "env/group/team/api", WithVersions: true}) {
		require.NoError(t, o.Err)
		if o.IsDeleteMarker {
			markers++
			continue
		}
		versions++
		err := i.client(t, 0, i.fileManager()).RemoveObject(ctx, files, o.Key, client.RemoveObjectOptions{VersionID: o.VersionID})
		assert.ErrorContains(t, err, "Access Denied", "the File Manager cannot destroy it for good")
	}
	assert.Equal(t, []int{1, 1}, []int{versions, markers}, "the deleted file is below a delete marker")
	rules, err := root.GetBucketLifecycle(ctx, files)
	require.NoError(t, err)
	require.Len(t, rules.Rules, 1)
	assert.EqualValues(t, 90, rules.Rules[0].NoncurrentVersionExpiration.NoncurrentDays)
}

func (i *installation) fileManagerIsBounded(t *testing.T) {
	ctx, c := t.Context(), i.client(t, 0, i.fileManager())
	for what, err := range map[string]error{
		"write to another bucket": errorOf(put(ctx, c, backups, "stolen", "x", client.ChecksumSHA256)),
		"read from another":       errorOf(get(ctx, c, backups, "base.tar")),
		"delete the bucket":       c.RemoveBucket(ctx, files),
		"delete another":          c.RemoveBucketWithOptions(ctx, backups, client.RemoveBucketOptions{ForceDelete: true}),
		"make a bucket":           c.MakeBucket(ctx, "more", client.MakeBucketOptions{}),
		"end the versioning":      c.SuspendVersioning(ctx, files),
		"open the bucket":         c.SetBucketPolicy(ctx, files, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::controlplane-files/*"}]}`),
		"list the bucket":         (<-c.ListObjects(ctx, files, client.ListObjectsOptions{})).Err,
		"list all buckets":        errorOf(c.ListBuckets(ctx)),
	} {
		assert.ErrorContains(t, err, "Access Denied", what)
	}
	exists, err := i.client(t, 0, i.root()).BucketExists(ctx, files)
	require.NoError(t, err)
	assert.True(t, exists)
}

func errorOf[T any](_ T, err error) error { return err }

func (i *installation) backupsWork(t *testing.T) {
	ctx := t.Context()
	c := i.client(t, 0, keys{"backups", i.Data("Secret", "minio-users")["backups"]})
	_, err := put(ctx, c, backups, "iris/base.tar", "data", client.ChecksumSHA256)
	require.NoError(t, err)
	exists, err := c.BucketExists(ctx, backups)
	require.NoError(t, err)
	assert.True(t, exists, "a backup begins with this question")
	listed := <-c.ListObjects(ctx, backups, client.ListObjectsOptions{Recursive: true})
	require.NoError(t, listed.Err)
	assert.Equal(t, "iris/base.tar", listed.Key)
	require.NoError(t, c.RemoveObject(ctx, backups, "iris/base.tar", client.RemoveObjectOptions{}), "what is older than the retention goes")
	for what, err := range map[string]error{
		"read files":        errorOf(get(ctx, c, files, "large")),
		"write files":       errorOf(put(ctx, c, files, "x", "x", client.ChecksumSHA256)),
		"list files":        (<-c.ListObjects(ctx, files, client.ListObjectsOptions{})).Err,
		"delete the bucket": c.RemoveBucket(ctx, backups),
	} {
		assert.ErrorContains(t, err, "Access Denied", what)
	}
}

func (i *installation) onlyTLS(t *testing.T) {
	answer, err := http.Get("http://" + i.addresses[0] + "/minio/health/live")
	require.NoError(t, err)
	defer answer.Body.Close()
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode, "plain HTTP")
	_, err = http.Get("https://" + i.addresses[0] + "/minio/health/live")
	assert.ErrorContains(t, err, "certificate signed by unknown authority", "only the platform's bundle verifies it")
	_, err = (&http.Client{Transport: i.transport(t, 0)}).Get("https://minio.other.svc:9000/minio/health/live")
	assert.ErrorContains(t, err, "not minio.other.svc")
}

func (i *installation) metrics(t *testing.T) {
	endpoints := nested(t, i.Find("ServiceMonitor", "minio").Object, "spec", "endpoints").([]any)
	require.Len(t, endpoints, 2)
	var expositions [][]byte
	for _, e := range endpoints {
		path := e.(map[string]any)["path"].(string)
		answer, err := (&http.Client{Transport: i.transport(t, 0)}).Get("https://" + endpoint + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		assert.Equal(t, http.StatusOK, answer.StatusCode, path)
		exposition, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		expositions = append(expositions, exposition)
	}
	metrics.Require(t, "minio", expositions...)
}

// changesAreApplied: the set-up runs with another password and without backups, and then with the old password.
func (i *installation) changesAreApplied(t *testing.T) {
	ctx, old := t.Context(), i.fileManager()
	former := i.client(t, 0, keys{"backups", i.Data("Secret", "minio-users")["backups"]})
	without := arguments(1)
	without.BackupBucket = ""
	i.Objects = process.Render(t, i.ca, program(workload.Single, without, nil), "127.0.0.1")
	setUp := func(password string) {
		users := i.Find("Secret", "minio-users").Object
		require.NoError(t, unstructured.SetNestedField(users, password, "stringData", "file-manager"))
		code, said := i.setUp(t, 0)
		require.Zero(t, code, said)
	}
	const password = "AnotherPasswordOfThirtyTwoLetter"
	setUp(password)
	_, err := get(ctx, i.client(t, 0, old), files, "large")
	assert.ErrorContains(t, err, "signature", "the old password")
	_, err = get(ctx, i.client(t, 0, keys{old.access, password}), files, "large")
	require.NoError(t, err, "the new password, and the same policy")
	_, err = former.BucketExists(ctx, backups)
	assert.ErrorContains(t, err, "does not exist in our records", "nobody has the keys of the backups any more")
	kept, err := i.client(t, 0, i.root()).BucketExists(ctx, backups)
	require.NoError(t, err)
	assert.True(t, kept, "the backups themselves stay")
	setUp(old.secret)
	_, err = get(ctx, i.client(t, 0, old), files, "large")
	require.NoError(t, err)
}

func (i *installation) restart(t *testing.T) {
	i.servers[0].Stop()
	assert.Zero(t, i.servers[0].Wait(5*time.Second), "it has ended by itself when it was asked to")
	i.servers[0].Replace()
	i.answers(t, 0, "/minio/health/ready")
	require.Eventually(t, func() bool {
		read, err := get(t.Context(), i.client(t, 0, i.fileManager()), files, "large")
		return err == nil && len(read) == 17<<20
	}, eventually, pause)
}

// TestSetUpGivesUp: without servers the Job fails in time and says what was wrong.
func TestSetUpGivesUp(t *testing.T) {
	i := install(t, 1)
	code, said := i.setUp(t, 0, "300", "3")
	assert.NotZero(t, code)
	assert.Contains(t, said, "cannot be used within 3 seconds: ")
	assert.Contains(t, said, "connection refused")
}
