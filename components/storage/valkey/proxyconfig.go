package valkey

import (
	"fmt"
	"strings"
)

// proxyGlobals fit two processors and the memory of an operator: HAProxy would size itself by the node otherwise.
const proxyGlobals = `global
    log stdout format raw local0
    maxconn 4000
    nbthread 2
    hard-stop-after 20s

resolvers kubernetes
    parse-resolv-conf
    accepted_payload_size 8192
    timeout resolve 1s
    timeout retry 1s
    hold valid 2s
    hold obsolete 10s

defaults
    mode tcp
    log global
    option dontlog-normal
    option tcp-check
    option clitcpka
    option srvtcpka
    timeout connect 3s
    timeout check 2s
    # Pools keep idle connections: the servers' and the clients' own limits decide.
    timeout client 24h
    timeout server 24h
    default-server inter 1s fall 2 rise 1 init-addr last,libc,none resolvers kubernetes

frontend health
    mode http
    bind *:%d
    timeout client 5s
    monitor-uri /healthz
    http-request return status 404
`

// proxyConfig leads to the server that a majority of the sentinels names and that says that it is the primary. The
// checks speak TLS and verify whom they ask; what clients send is passed on as it is.
func (b *builder) proxyConfig() string {
	var cfg strings.Builder
	fmt.Fprintf(&cfg, proxyGlobals, healthPort)
	servers, sentinels := b.serverHosts(), b.sentinelHosts()
	fmt.Fprintf(&cfg, "\nfrontend primary\n    bind *:%d\n", Port)
	for i := range servers {
		fmt.Fprintf(&cfg, "    use_backend server-%d if { nbsrv(named-%d) ge %d }\n", i, i, b.args.quorum())
	}
	for i, host := range servers {
		fmt.Fprintf(&cfg, "\nbackend server-%d\n", i)
		cfg.WriteString(checks("INFO replication", "role:master", 40))
		fmt.Fprintf(&cfg, "    server server-%d %s:%d %s on-marked-down shutdown-sessions\n", i, host, Port, b.verified(host))
		fmt.Fprintf(&cfg, "\n# the sentinels that name server %d\nbackend named-%d\n", i, i)
		cfg.WriteString(checks("SENTINEL get-master-addr-by-name valkey", host, 24))
		for n, watcher := range sentinels {
			fmt.Fprintf(&cfg, "    server sentinel-%d %s:%d %s\n", n, watcher, sentinelPort, b.verified(watcher))
		}
	}
	return cfg.String()
}

// checks log in, ask a question and want a text in the answer. The answer counts from a length on at which the text is
// there or not: without it a check would wait for more.
func checks(question, want string, length int) string {
	return fmt.Sprintf(`    tcp-check send "AUTH check ${CHECK_PASSWORD}\r\n"
    tcp-check expect min-recv 3 string +OK
    tcp-check send "%s\r\n"
    tcp-check expect min-recv %d string %s
`, question, length, want)
}

// verified has checks verify the certificate of a pod, by its name without the cluster's domain.
func (b *builder) verified(host string) string {
	return fmt.Sprintf("check check-ssl ca-file /etc/haproxy/trust/%s verify required verifyhost %s",
		b.args.Trust.Key, strings.TrimSuffix(host, "."+clusterDomain))
}
