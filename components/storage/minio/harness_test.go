package minio_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	client "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/components/storage/minio"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const image = "registry.example.com/minio:RELEASE.2026-06-18T00-00-00Z"

// arguments are those of a MinIO with all that it can have.
func arguments(servers int) minio.Args {
	return minio.Args{
		Image: image, Servers: servers, Volume: part.Volume{Size: "1Gi"},
		Bucket: "controlplane-files", BackupBucket: "controlplane-backups", ServiceMonitor: true,
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("512Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: resource.MustParse("1Gi")},
		},
	}
}

// program registers MinIO; got gets the component.
func program(availability workload.Availability, args minio.Args, got **minio.MinIO) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		args.Common = common
		m, err := minio.New(ctx, "storage-minio", args)
		if got != nil {
			*got = m
		}
		return err
	}
}

// installation is a MinIO on this machine.
type installation struct {
	*process.Objects
	ca        verify.CA
	dir       string
	addresses []string // of the servers
	servers   []*process.Process
	programs  map[string]string
}

// host and endpoint are what clients in a cluster use.
const (
	host     = "minio.minio.svc"
	endpoint = host + ":9000"
)

// install renders MinIO for a number of servers and finds an address for each. Nothing runs yet.
func install(t *testing.T, servers int) *installation {
	t.Helper()
	i := &installation{ca: verify.NewCA(t, "platform"), dir: t.TempDir(), programs: process.Programs(t, "minio", "mc")}
	i.programs[""] = i.programs["minio"] // the entry point of the image
	i.Objects = process.Render(t, i.ca, program(workload.Single, arguments(servers), nil), "127.0.0.1")
	for range servers {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // at the end, so that each gets another port
		i.addresses = append(i.addresses, l.Addr().String())
	}
	return i
}

// container is the servers' container as rendered; changes apply to the servers that are started next.
func (i *installation) container(t *testing.T) map[string]any {
	t.Helper()
	containers := nested(t, i.Find("StatefulSet", "minio").Object, "spec", "template", "spec", "containers")
	return containers.([]any)[0].(map[string]any)
}

// setVariables adds to the servers' environment.
func (i *installation) setVariables(t *testing.T, values map[string]string) {
	t.Helper()
	container := i.container(t)
	for name, value := range values {
		container["env"] = append(container["env"].([]any), map[string]any{"name": name, "value": value})
	}
}

// setUp runs the Job's container and returns its exit code and what it said.
func (i *installation) setUp(t *testing.T, server int, replace ...string) (int, string) {
	t.Helper()
	p := i.Start(t, process.Spec{
		Workload: "Job/minio-bootstrap", Dir: t.TempDir(), Programs: i.programs,
		Replace: append(replace, endpoint, i.addresses[server]),
	})
	return p.Wait(2 * time.Minute), p.Log()
}

// answers waits until a path of a server's answers well, such as a probe.
func (i *installation) answers(t *testing.T, server int, path string) {
	t.Helper()
	probe := &http.Client{Transport: i.transport(t, server), Timeout: 5 * time.Second}
	require.Eventually(t, func() bool {
		answer, err := probe.Get("https://" + endpoint + path)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, eventually, pause, "%s of server %d", path, server)
}

// transport reaches a server under the name that clients in a cluster use, and trusts what the platform's bundle does.
func (i *installation) transport(t *testing.T, server int) *http.Transport {
	t.Helper()
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(i.Data("ConfigMap", process.Trust.ConfigMap)[process.Trust.Key])))
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, i.addresses[server])
		},
	}
}

// keys are a user's.
type keys struct{ access, secret string }

// fileManager are the keys that the File Manager is configured with.
func (i *installation) fileManager() keys {
	data := i.Data("Secret", "minio-file-manager")
	return keys{data["accessKey"], data["secretKey"]}
}

func (i *installation) root() keys {
	data := i.Data("Secret", "minio-root")
	return keys{data["user"], data["password"]}
}

// client is made as the File Manager makes it: TLS, trailing checksums, no region.
func (i *installation) client(t *testing.T, server int, k keys) *client.Client {
	t.Helper()
	c, err := client.New(endpoint, &client.Options{
		Creds: credentials.NewStaticV4(k.access, k.secret, ""), Secure: true, TrailingHeaders: true,
		Transport: i.transport(t, server), MaxRetries: 1,
	})
	require.NoError(t, err)
	return c
}

// put writes an object of unknown length with a trailing checksum, as the File Manager does.
func put(ctx context.Context, c *client.Client, bucket, object, content string, checksum client.ChecksumType) (client.UploadInfo, error) {
	return c.PutObject(ctx, bucket, object, strings.NewReader(content), -1, client.PutObjectOptions{
		ContentType: "text/plain", UserMetadata: map[string]string{"X-File-Checksum": "any"},
		Checksum: checksum, PartSize: 16 << 20,
	})
}

// get reads an object.
func get(ctx context.Context, c *client.Client, bucket, object string) (string, error) {
	o, err := c.GetObject(ctx, bucket, object, client.GetObjectOptions{})
	if err != nil {
		return "", err
	}
	defer o.Close()
	data, err := io.ReadAll(o)
	if err != nil {
		return "", fmt.Errorf("read: %w", err)
	}
	return string(data), nil
}
