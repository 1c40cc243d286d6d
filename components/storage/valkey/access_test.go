package valkey_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// single starts the one server of a stack without replicas.
func single(t *testing.T, network int, change func(*valkey.Args)) *cluster {
	t.Helper()
	c := newCluster(t, network, workload.Single, change)
	c.servers = []*process.Process{c.start("StatefulSet/valkey", "valkey", 0, firstServer)}
	c.ready(t, 15*time.Second, c.servers...)
	return c
}

// as is a client that logs in as one of the users.
func (c *cluster) as(t *testing.T, user, password string) *redis.Client {
	options := c.options(firstServer)
	options.Username, options.Password = user, password
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (c *cluster) password(key string) string { return c.objects.Data("Secret", "valkey-servers")[key] }

func TestAccess(t *testing.T) {
	t.Parallel()
	c := single(t, 42, nil)
	ctx := t.Context()
	client := c.client(t, firstServer)

	t.Run("clients read and write", func(t *testing.T) {
		require.NoError(t, client.Set(ctx, "key", "value", time.Minute).Err())
		assert.Equal(t, "value", client.Get(ctx, "key").Val())
		sum, err := client.Eval(ctx, "return redis.call('INCRBY', KEYS[1], ARGV[1])", []string{"counter"}, 3).Int()
		require.NoError(t, err, "rate limits count in scripts")
		assert.Equal(t, 3, sum)
		assert.NoError(t, c.as(t, valkey.User, c.objects.Data("Secret", valkey.SecretName)["password"]).Ping(ctx).Err())
	})
	t.Run("clients do not administer", func(t *testing.T) {
		for _, command := range []string{
			"FLUSHALL", "FLUSHDB", "CONFIG GET maxmemory", "CONFIG SET maxmemory 0", "KEYS *", "SHUTDOWN", "SWAPDB 0 1",
			"ACL LIST", "REPLICAOF NO ONE", "CLIENT LIST", "MONITOR", "SAVE", "SUBSCRIBE __sentinel__:hello", "PUBLISH __sentinel__:hello x",
		} {
			var words []any
			for word := range strings.FieldsSeq(command) {
				words = append(words, word)
			}
			assert.ErrorContains(t, client.Do(ctx, words...).Err(), "NOPERM", command)
		}
	})
	t.Run("each other user does only what it is for", func(t *testing.T) {
		for user, can := range map[string]string{"check": "INFO", "exporter": "INFO", "maintenance": ""} {
			other := c.as(t, user, c.password(user))
			if can != "" {
				assert.NoError(t, other.Do(ctx, can).Err(), user)
			}
			assert.ErrorContains(t, other.Do(ctx, "SET", "key", "x").Err(), "NOPERM", user)
			assert.ErrorContains(t, other.Do(ctx, "GET", "key").Err(), "NOPERM", user)
			assert.ErrorContains(t, other.Do(ctx, "REPLICAOF", "NO", "ONE").Err(), "NOPERM", user)
		}
	})
	t.Run("nobody without the password", func(t *testing.T) {
		assert.ErrorContains(t, c.as(t, "", "wrong").Ping(ctx).Err(), "WRONGPASS")
		assert.ErrorContains(t, c.as(t, "", "").Ping(ctx).Err(), "NOAUTH")
		assert.ErrorContains(t, c.as(t, "check", c.objects.Data("Secret", valkey.SecretName)["password"]).Ping(ctx).Err(), "WRONGPASS")
	})
	t.Run("nobody without TLS", func(t *testing.T) {
		connection, err := net.Dial("tcp", c.address(firstServer)+":6379")
		require.NoError(t, err)
		defer connection.Close()
		_, err = connection.Write([]byte("PING\r\n"))
		require.NoError(t, err)
		answer := make([]byte, 64)
		require.NoError(t, connection.SetReadDeadline(time.Now().Add(5*time.Second)))
		n, err := connection.Read(answer)
		assert.Error(t, err, "%q", answer[:n])
		assert.NotContains(t, string(answer[:n]), "PONG")
	})
	t.Run("a client tells a server of another authority", func(t *testing.T) {
		_, err := (&tls.Dialer{Config: trusting(verify.NewCA(t, "platform"))}).DialContext(ctx, "tcp", c.address(firstServer)+":6379")
		assert.ErrorContains(t, err, "unknown authority")
		config := trusting(c.ca)
		config.ServerName = "valkey.other.svc"
		_, err = (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", c.address(firstServer)+":6379")
		assert.ErrorContains(t, err, "not valkey.other.svc")
	})
}

// memory is what a server says about its memory.
func (c *cluster) memory(t *testing.T) string {
	t.Helper()
	text, err := c.as(t, "check", c.password("check")).Info(t.Context(), "memory").Result()
	require.NoError(t, err)
	return text
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	c := single(t, 43, func(a *valkey.Args) { a.MaxMemoryPercent, a.EvictionPolicy = 2, "allkeys-lru" })
	info := c.memory(t)
	assert.Contains(t, info, fmt.Sprintf("maxmemory:%d\r", 256<<20/100*2), "two per cent of the container's limit")
	assert.Contains(t, info, "maxmemory_policy:allkeys-lru\r")
	client := c.client(t, firstServer)
	value := strings.Repeat("x", 64<<10)
	for i := range 200 { // 12.8 MB into 5.3 MB
		require.NoError(t, client.Set(t.Context(), fmt.Sprint("key:", i), value, 0).Err(), "older keys make room")
	}
	assert.Less(t, client.DBSize(t.Context()).Val(), int64(100))
	assert.Equal(t, value, client.Get(t.Context(), "key:199").Val())
}

// TestPersistence: what was written is there again after the process was killed, if it is configured to be.
func TestPersistence(t *testing.T) {
	t.Parallel()
	for name, volume := range map[string]*part.Volume{"with a volume": {Size: "1Gi"}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			network := 44
			if volume == nil {
				network = 45
			}
			c := single(t, network, func(a *valkey.Args) { a.Persistence = volume })
			require.NoError(t, c.client(t, firstServer).Set(t.Context(), "key", "value", 0).Err())
			time.Sleep(1500 * time.Millisecond) // it is on disk a second later at the latest
			c.servers[0].Kill()
			c.servers[0].Replace()
			c.ready(t, 15*time.Second, c.servers...)
			want := ""
			if volume != nil {
				want = "value"
			}
			assert.Equal(t, want, c.client(t, firstServer).Get(context.Background(), "key").Val())
		})
	}
}
