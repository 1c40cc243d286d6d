package valkey

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	k8sresource "k8s.io/apimachinery/pkg/api/resource"

	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure the component. What exists follows from them alone.
type Args struct {
	part.Common
	// Images are what the containers run.
	Images Images
	// Servers is how many hold the data: 1, or a primary and its replicas.
	Servers int
	// Sentinels elect the primary of several servers: an odd number, at least 3. Proxies lead clients to it: at least 1.
	// Neither exists with one server.
	Sentinels, Proxies int
	// Resources are a server's. Its memory limit is needed; what is left open is as for an operator.
	Resources corev1.ResourceRequirements
	// MaxMemoryPercent is how much of the memory limit the data may take. The rest is for connections, replication and,
	// with persistence, the copy that a rewrite makes.
	MaxMemoryPercent int
	// EvictionPolicy says what happens when that is reached, such as allkeys-lru or noeviction.
	EvictionPolicy string
	// Persistence is a volume per server to which every write is appended, at the latest after a second; nil: what is
	// in memory is all there is.
	Persistence *part.Volume
	// MaxReplicaLag is how far behind its nearest replica may be for a primary to accept writes: whole seconds.
	MaxReplicaLag time.Duration
	// ServiceMonitor declares the metrics to Prometheus; it needs the ServiceMonitor resource definition.
	ServiceMonitor bool
	// Clients are who uses it beside the Control Plane.
	Clients []Client
}

// Images are those of the containers.
type Images struct {
	// Server is Valkey from version 7.2 on, or Redis 7, with a POSIX shell and the usual small tools. The program names
	// are Valkey's.
	Server string
	// Exporter is redis_exporter, Proxy HAProxy from version 2.6 on.
	Exporter, Proxy string
}

// replicated reports whether a primary has replicas.
func (a Args) replicated() bool { return a.Servers > 1 }

// quorum is how many sentinels are a majority.
func (a Args) quorum() int { return a.Sentinels/2 + 1 }

// memory is a server's memory limit in bytes.
func (a Args) memory() int64 {
	limit := a.Resources.Limits[corev1.ResourceMemory]
	return limit.Value()
}

// maxMemory is what the data may take, in bytes.
func (a Args) maxMemory() int64 { return a.memory() / 100 * int64(a.MaxMemoryPercent) }

func (a Args) validate() error {
	var problems []error
	check := func(ok bool, format string, values ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, values...))
		}
	}
	check(a.Servers >= 1, "servers: %d; at least 1", a.Servers)
	check(a.memory() > 0, "resources: a memory limit is needed, because the data's share is computed from it")
	check(a.MaxMemoryPercent >= 1 && a.MaxMemoryPercent <= 100, "maximum of memory: %d%%; 1 to 100", a.MaxMemoryPercent)
	if a.replicated() {
		check(a.Sentinels >= 3 && a.Sentinels%2 == 1, "sentinels: %d; an odd number, at least 3", a.Sentinels)
		check(a.Proxies >= 1, "proxies: %d; at least 1", a.Proxies)
		check(a.MaxReplicaLag >= time.Second && a.MaxReplicaLag%time.Second == 0,
			"lag of replicas: %s; whole seconds, at least one", a.MaxReplicaLag)
	}
	if a.Persistence != nil {
		_, err := k8sresource.ParseQuantity(a.Persistence.Size)
		check(err == nil, "size of the volume: %q is no quantity such as 2Gi", a.Persistence.Size)
	}
	return errors.Join(problems...)
}
