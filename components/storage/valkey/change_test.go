package valkey_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// replace puts pods of what is rendered now in the place of running servers, as a StatefulSet does: the last one first,
// and the next one only when that has been ready for a time.
func (c *cluster) replace(t *testing.T, servers ...int) {
	t.Helper()
	seconds, _, err := unstructured.NestedInt64(c.objects.Find("StatefulSet", "valkey").Object, "spec", "minReadySeconds")
	require.NoError(t, err)
	for _, i := range servers {
		time.Sleep(time.Duration(seconds) * time.Second)
		c.servers[i].Stop()
		require.NoError(t, os.RemoveAll(filepath.Join(c.servers[i].Container.Dir, "scratch")))
		c.servers[i] = c.start("StatefulSet/valkey", "valkey", i, firstServer+i)
		c.ready(t, 40*time.Second, c.servers[i])
	}
}

// TestPasswordsAreMadeAnew: pods with the new passwords and pods with the old ones get along while they are replaced.
func TestPasswordsAreMadeAnew(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 46, workload.Zonal, nil)
	c.startAll()
	c.ready(t, 40*time.Second, append(c.servers, c.sentinels...)...)
	old := c.options(firstProxy)
	eventually(t, recovery, "nothing can be written", func(ctx context.Context) error {
		return c.client(t, firstProxy).Set(ctx, "key", "value", 0).Err()
	})

	c.objects = render(t, c.ca, workload.Zonal, func(a *valkey.Args) { a.PasswordGeneration = 1 })
	c.replace(t, 2, 1, 0)
	c.ready(t, 20*time.Second, append(c.servers, c.sentinels...)...)
	eventually(t, recovery, "the new password does not work", func(ctx context.Context) error {
		return c.client(t, firstProxy).Set(ctx, "other", "value", 0).Err()
	})
	assert.Equal(t, "value", c.client(t, firstProxy).Get(t.Context(), "key").Val(), "nothing is lost")
	assert.ErrorContains(t, redis.NewClient(old).Ping(t.Context()).Err(), "WRONGPASS")
}

// TestOneServerBecomesThree: the data of a single server is there when it has become one of several.
func TestOneServerBecomesThree(t *testing.T) {
	t.Parallel()
	persistent := func(a *valkey.Args) { a.Persistence = &part.Volume{Size: "1Gi"} }
	c := single(t, 47, persistent)
	require.NoError(t, c.client(t, firstServer).Set(t.Context(), "key", "value", 0).Err())

	c.objects = render(t, c.ca, workload.Zonal, persistent)
	for i := range 3 {
		c.sentinels = append(c.sentinels, c.start("StatefulSet/valkey-sentinels", "sentinel", i, firstSentinel+i))
	}
	c.proxies = []*process.Process{c.start("Deployment/valkey-proxies", "haproxy", 0, firstProxy)}
	c.servers = append(c.servers,
		c.start("StatefulSet/valkey", "valkey", 1, firstServer+1), c.start("StatefulSet/valkey", "valkey", 2, firstServer+2))
	c.ready(t, 40*time.Second, c.servers[1:]...)
	c.replace(t, 0)
	c.ready(t, 40*time.Second, append(c.servers, c.sentinels...)...)
	eventually(t, recovery, "nothing can be written", func(ctx context.Context) error {
		return c.client(t, firstProxy).Set(ctx, "other", "value", 0).Err()
	})
	assert.Equal(t, "value", c.client(t, firstProxy).Get(t.Context(), "key").Val(), "nothing is lost")
}

// TestProxiesFollowTheAuthorities: a proxy that still knew only those of before would take every server for down.
func TestProxiesFollowTheAuthorities(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 48, workload.Zonal, nil)
	proxy := c.start("Deployment/valkey-proxies", "haproxy", 0, firstProxy)
	eventually(t, 10*time.Second, "the proxy does not run", func(context.Context) error {
		connection, err := net.Dial("tcp", c.address(firstProxy)+":6379")
		if err == nil {
			err = connection.Close()
		}
		return err
	})
	bundle := c.objects.Find("ConfigMap", process.Trust.ConfigMap)
	both := c.ca.Certificate + verify.NewCA(t, "another").Certificate
	require.NoError(t, unstructured.SetNestedField(bundle.Object, both, "data", process.Trust.Key))
	proxy.Refresh()
	proxy.Wait(80 * time.Second) // it ends, for the kubelet to start it again
	assert.Contains(t, proxy.Log(), "the authorities have changed")
}
