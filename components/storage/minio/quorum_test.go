package minio_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	client "github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// four starts four servers that find each other. In a cluster one pattern of names stands for all of them; here they
// differ in port and directory, for which MinIO has no pattern, so each is listed.
func four(t *testing.T) *installation {
	t.Helper()
	const servers = 4
	i := install(t, servers)
	container := i.container(t)
	args := container["args"].([]any)
	require.Equal(t, "https://minio-{0...3}.minio-headless.minio.svc:9000/data", args[len(args)-1])
	args = args[:len(args)-1]
	var replace []string
	for n := range servers {
		placeholder := fmt.Sprintf("https://minio-%d/data", n)
		args = append(args, placeholder)
		replace = append(replace, placeholder, "https://"+i.addresses[n]+filepath.Join(i.podDir(n), "claims", fmt.Sprintf("data-minio-%d", n)))
	}
	container["args"] = args
	i.setVariables(t, map[string]string{
		// All directories are on the machine's own disk, which MinIO refuses for clusters outside of tests.
		"MINIO_CI_CD": "1",
		// Which of the addresses is its own: in a container MinIO does not expect that to be a loopback address.
		"_MINIO_SERVER_LOCAL": "own-address",
	})
	for n := range servers {
		_, port, err := net.SplitHostPort(i.addresses[n])
		require.NoError(t, err)
		i.servers = append(i.servers, i.Start(t, process.Spec{
			Workload: "StatefulSet/minio", Ordinal: n, Dir: i.podDir(n), Programs: i.programs,
			Replace: append(replace[:len(replace):len(replace)], "own-address", i.addresses[n], ":9000", "127.0.0.1:"+port),
		}))
	}
	return i
}

func (i *installation) podDir(server int) string { return filepath.Join(i.dir, fmt.Sprint(server)) }

// TestFourServers: what is written with all of them is readable with two, and writable with three.
func TestFourServers(t *testing.T) {
	i := four(t)
	code, said := i.setUp(t, 0)
	require.Zero(t, code, said)
	c := i.client(t, 0, i.fileManager())
	write := func(ctx context.Context, object string) error {
		_, err := put(ctx, c, files, object, "content of "+object, client.ChecksumSHA256)
		return err
	}
	written := func(object string) func() bool {
		return func() bool { return write(t.Context(), object) == nil }
	}
	readable := func(object string) func() bool {
		return func() bool {
			read, err := get(t.Context(), c, files, object)
			return err == nil && read == "content of "+object
		}
	}
	require.Eventually(t, written("all"), eventually, pause)

	i.servers[3].Kill()
	require.Eventually(t, written("three"), eventually, pause, "three servers take writes")
	require.Eventually(t, readable("all"), eventually, pause)

	i.servers[2].Kill()
	for _, object := range []string{"all", "three"} {
		require.Eventually(t, readable(object), eventually, pause, "two servers still have %s", object)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	require.Error(t, write(ctx, "two"), "two of four could be the smaller half of a cluster that fell apart")

	i.servers[2].Replace()
	require.Eventually(t, written("again"), eventually, pause, "writes go on with the third")
	i.servers[3].Replace()
	i.answers(t, 3, "/minio/health/cluster")
	c = i.client(t, 3, i.fileManager())
	require.Eventually(t, readable("three"), eventually, pause, "a server that comes back knows what it has missed")
	// A server with another setting than the others does not join them, so it must count as ready all the same: else
	// the next one would never get the setting, and an update would never end.
	for n := range i.servers {
		env := i.servers[n].Container.Spec.Env
		for e := range env {
			if env[e].Name == "MINIO_API_STALE_UPLOADS_EXPIRY" {
				env[e].Value = "48h"
			}
		}
		i.servers[n].Stop()
		i.servers[n].Replace()
		i.answers(t, n, "/minio/health/ready")
	}
	i.answers(t, 0, "/minio/health/cluster")
	require.Eventually(t, readable("again"), eventually, pause)
}
