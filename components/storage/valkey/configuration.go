package valkey

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

//go:embed scripts/*.sh
var scripts embed.FS

// downAfter is after how many milliseconds of silence a sentinel takes a server for down. Shorter, and a busy node
// causes an election.
const downAfter = 3000

// failoverTimeout bounds the steps of a failover, in milliseconds; an election that nobody won is repeated after twice
// as long.
const failoverTimeout = 5000

// configuration are the ConfigMaps.
func (b *builder) configuration() (manifest.Set, error) {
	texts, err := scriptTexts()
	if err != nil {
		return manifest.Set{}, err
	}
	objects := []runtime.Object{
		&corev1.ConfigMap{ObjectMeta: server.meta(scriptsName), Data: texts},
		&corev1.ConfigMap{ObjectMeta: server.meta(serversName), Data: b.serverConfig()},
	}
	if b.args.replicated() {
		objects = append(objects,
			&corev1.ConfigMap{ObjectMeta: sentinel.meta(sentinelsName), Data: sentinelConfig()},
			&corev1.ConfigMap{ObjectMeta: proxy.meta(proxiesName), Data: map[string]string{"haproxy.cfg": b.proxyConfig()}},
		)
	}
	return manifest.Typed(objects...)
}

func scriptTexts() (map[string]string, error) {
	texts := map[string]string{}
	entries, err := fs.ReadDir(scripts, "scripts")
	if err != nil {
		return nil, fmt.Errorf("scripts: %w", err)
	}
	for _, entry := range entries {
		data, err := fs.ReadFile(scripts, "scripts/"+entry.Name())
		if err != nil {
			return nil, fmt.Errorf("scripts: %w", err)
		}
		texts[entry.Name()] = string(data)
	}
	return texts, nil
}

// encrypted is what servers and sentinels have in common: TLS and nothing else. Clients show no certificate.
func encrypted(port int) []string {
	return []string{
		"bind * -::*",
		"protected-mode no", // nobody gets in without a password
		"port 0",
		fmt.Sprintf("tls-port %d", port),
		"tls-cert-file /etc/valkey/tls/tls.crt",
		"tls-key-file /etc/valkey/tls/tls.key",
		"tls-ca-cert-file /etc/valkey/tls/ca.crt",
		"tls-auth-clients no",
		`tls-protocols "TLSv1.2 TLSv1.3"`,
		"aclfile /etc/valkey/access/users.acl",
	}
}

// serverConfig is in the words that Redis 7 understands too.
func (b *builder) serverConfig() map[string]string {
	lines := append(encrypted(Port),
		"dir /data",
		fmt.Sprintf("maxmemory %d", b.args.maxMemory()),
		"maxmemory-policy "+b.args.EvictionPolicy,
		`save ""`,
		"shutdown-timeout 10",
	)
	if b.args.Persistence != nil {
		lines = append(lines, "appendonly yes", "appendfsync everysec")
	} else {
		// What a replica got to start from must not be there when it starts again: by then it is old.
		lines = append(lines, "appendonly no", "rdb-del-sync-files yes")
	}
	if b.args.replicated() {
		lines = append(lines,
			"tls-replication yes",
			"masteruser replication",
			fmt.Sprintf("replica-announce-port %d", Port),
			"min-replicas-to-write 1",
			fmt.Sprintf("min-replicas-max-lag %d", int(b.args.MaxReplicaLag.Seconds())),
			// A replica that was away for a moment gets only what it missed; one that cannot follow does not use up the
			// memory of the primary.
			fmt.Sprintf("repl-backlog-size %d", b.args.memory()/32),
			fmt.Sprintf("client-output-buffer-limit replica %d %d 60", b.args.memory()/8, b.args.memory()/16),
			"repl-diskless-sync-delay 0",
		)
	}
	return map[string]string{"valkey.conf": text(lines)}
}

// sentinelConfig is what stands before and after the line that names the primary.
func sentinelConfig() map[string]string {
	return map[string]string{
		"sentinel.conf": text(append(encrypted(sentinelPort),
			"tls-replication yes", // a sentinel's own connections
			"dir /run/valkey",
			"sentinel resolve-hostnames yes",
			"sentinel announce-hostnames yes",
			"sentinel deny-scripts-reconfig yes",
		)),
		"monitor.conf": text([]string{
			fmt.Sprintf("sentinel down-after-milliseconds valkey %d", downAfter),
			fmt.Sprintf("sentinel failover-timeout valkey %d", failoverTimeout),
			"sentinel parallel-syncs valkey 1",
		}),
	}
}

func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }
