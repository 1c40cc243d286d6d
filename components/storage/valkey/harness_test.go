package valkey_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	k8sresource "k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/components/storage/valkey"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// The client logs every connection that fails; here that is what is meant to happen.
func init() { logging.Disable() }

// arguments are those of a stack of that availability.
func arguments(availability workload.Availability) valkey.Args {
	args := valkey.Args{
		Images: valkey.Images{
			Server: "docker.io/valkey/valkey:9.0.6", Exporter: "docker.io/oliver006/redis_exporter:v1.89.0",
			Proxy: "docker.io/library/haproxy:3.2.25",
		},
		Servers: 1, MaxMemoryPercent: 70, EvictionPolicy: "allkeys-lru", ServiceMonitor: true,
		Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: k8sresource.MustParse("256Mi")}},
	}
	if availability == workload.Zonal {
		args.Servers, args.Sentinels, args.Proxies, args.MaxReplicaLag = 3, 3, 2, 10*time.Second
	}
	return args
}

// render runs the component; change may alter its arguments.
func render(t *testing.T, ca verify.CA, availability workload.Availability, change func(*valkey.Args)) *process.Objects {
	t.Helper()
	return process.Render(t, ca, func(ctx *pulumi.Context) error {
		args := arguments(availability)
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		args.Common = common
		if change != nil {
			change(&args)
		}
		_, err = valkey.New(ctx, "valkey", args)
		return err
	})
}

// cluster are the pods of a component as processes. Each has a loopback address of its own, out of a network of the
// test's own.
type cluster struct {
	t         *testing.T
	ca        verify.CA
	objects   *process.Objects
	dir       string
	network   int
	programs  map[string]string
	servers   []*process.Process
	sentinels []*process.Process
	proxies   []*process.Process
}

// Each kind of pod has its own range of addresses.
const (
	firstServer, firstSentinel, firstProxy = 10, 20, 30
)

func newCluster(t *testing.T, network int, availability workload.Availability, change func(*valkey.Args)) *cluster {
	t.Helper()
	ca := verify.NewCA(t, "platform")
	c := &cluster{
		t: t, ca: ca, objects: render(t, ca, availability, change), dir: t.TempDir(), network: network,
		programs: process.Programs(t, "valkey-server", "valkey-cli", "haproxy"),
	}
	return c
}

func (c *cluster) address(host int) string { return fmt.Sprintf("127.0.%d.%d", c.network, host) }

// start starts a container at an address.
func (c *cluster) start(workload, container string, ordinal, host int) *process.Process {
	c.t.Helper()
	own := c.address(host)
	replace := []string{"localhost", own, "bind * -::*", "bind " + own, "bind *:", "bind " + own + ":"}
	for i := range 3 {
		replace = append(replace,
			fmt.Sprintf("valkey-%d.valkey-servers.valkey.svc.cluster.local", i), c.address(firstServer+i),
			fmt.Sprintf("valkey-sentinels-%d.valkey-sentinels.valkey.svc.cluster.local", i), c.address(firstSentinel+i))
	}
	return c.objects.Start(c.t, process.Spec{
		Workload: workload, Container: container, Ordinal: ordinal, Address: own, Replace: replace, Programs: c.programs,
		Dir: filepath.Join(c.dir, fmt.Sprintf("pod-%d", host)),
	})
}

// startAll starts what a zonal stack consists of, all at once.
func (c *cluster) startAll() {
	c.t.Helper()
	for i := range 3 {
		c.servers = append(c.servers, c.start("StatefulSet/valkey", "valkey", i, firstServer+i))
		c.sentinels = append(c.sentinels, c.start("StatefulSet/valkey-sentinels", "sentinel", i, firstSentinel+i))
	}
	for i := range 2 {
		c.proxies = append(c.proxies, c.start("Deployment/valkey-proxies", "haproxy", i, firstProxy+i))
	}
}

// eventually waits for something to become true, with the reason why it is not.
func eventually(t *testing.T, timeout time.Duration, what string, check func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			require.NoError(t, err, "%s, for %s", what, timeout)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ready waits until the readiness probes of all pods succeed.
func (c *cluster) ready(t *testing.T, timeout time.Duration, all ...*process.Process) {
	t.Helper()
	for _, p := range all {
		eventually(t, timeout, p.Container.PodName+" is not ready", p.Ready)
	}
}

// trusting is a client's TLS configuration: the platform's authority and the name of the primary's Service.
func trusting(ca verify.CA) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca.Certificate))
	return &tls.Config{RootCAs: roots, ServerName: valkey.Host, MinVersion: tls.VersionTLS12}
}

// options are those of a client that knows one address, which leads to one of the given pods as a Service does.
func (c *cluster) options(hosts ...int) *redis.Options {
	config := trusting(c.ca)
	next := 0
	return &redis.Options{
		Addr:     fmt.Sprintf("%s:%d", valkey.Host, valkey.Port),
		Password: c.objects.Data("Secret", valkey.SecretName)["password"],
		Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			next++
			address := fmt.Sprintf("%s:%d", c.address(hosts[next%len(hosts)]), valkey.Port)
			return (&tls.Dialer{NetDialer: &net.Dialer{Timeout: time.Second}, Config: config}).DialContext(ctx, network, address)
		},
		MaxRetries: -1, PoolSize: 1, DisableIdentity: true, DialerRetries: 1,
		DialTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second,
	}
}

func (c *cluster) client(t *testing.T, hosts ...int) *redis.Client {
	client := redis.NewClient(c.options(hosts...))
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// replication is what a server says about itself, by the user that checks.
func (c *cluster) replication(ctx context.Context, ordinal int) (map[string]string, error) {
	options := c.options(firstServer + ordinal)
	options.Username, options.Password = "check", c.objects.Data("Secret", "valkey-servers")["check"]
	client := redis.NewClient(options)
	defer client.Close()
	text, err := client.Info(ctx, "replication").Result()
	if err != nil {
		return nil, err
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			info[key] = value
		}
	}
	return info, nil
}

// primary finds the only server that says that it is the primary.
func (c *cluster) primary(t *testing.T) int {
	t.Helper()
	found := -1
	eventually(t, 15*time.Second, "there is not one primary", func(ctx context.Context) error {
		var primaries []int
		for i := range c.servers {
			info, err := c.replication(ctx, i)
			if err == nil && info["role"] == "master" {
				primaries = append(primaries, i)
			}
		}
		if len(primaries) != 1 {
			return fmt.Errorf("primaries: %v", primaries)
		}
		found = primaries[0]
		return nil
	})
	return found
}
