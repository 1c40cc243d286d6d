package proxy

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// dialTimeout is generous for a process on the same machine.
const dialTimeout = 5 * time.Second

// serveEgress connects the API server with what it wants to call inside of the cluster.
func (p *Proxy) serveEgress(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT is served here", http.StatusMethodNotAllowed)
		return
	}
	p.connect(w, r.Host)
}

// connect tunnels to an address of the cluster or of the loopback.
func (p *Proxy) connect(w http.ResponseWriter, address string) {
	connection, err := p.dial(address)
	if err != nil {
		refuse(w, err)
		return
	}
	tunnel(w, connection)
}

// refuse says why in the status line: that is all of the answer to a CONNECT that the API server passes on.
func refuse(w http.ResponseWriter, reason error) {
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, reason.Error(), http.StatusBadGateway)
		return
	}
	defer client.Close()
	line := strings.NewReplacer("\r", " ", "\n", " ").Replace(reason.Error())
	fmt.Fprintf(client, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", http.StatusBadGateway, line)
}

// dial connects to a process, to ourselves in place of a simulated pod, or to the loopback.
func (p *Proxy) dial(address string) (net.Conn, error) {
	b, ours, err := p.cluster.resolve(address)
	switch {
	case err != nil:
		return nil, err
	case b.simulated:
		client, server := net.Pipe()
		// TLS, because that is what the API server speaks with webhooks.
		secured := tls.Server(server, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.certificateAt(address)})
		if err := p.calls.hand(secured); err != nil {
			return nil, err
		}
		return client, nil
	case ours:
		return net.DialTimeout("tcp", b.address, dialTimeout)
	}
	if !isLoopback(address) {
		return nil, fmt.Errorf("%s is neither in the cluster nor on this machine: there is no way out of a local control plane", address)
	}
	return net.DialTimeout("tcp", address, dialTimeout)
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// handover is a listener whose connections are handed to it.
type handover struct {
	connections chan net.Conn
	closed      chan struct{}
}

func newHandover() *handover {
	return &handover{make(chan net.Conn), make(chan struct{})}
}

func (h *handover) hand(c net.Conn) error {
	select {
	case h.connections <- c:
		return nil
	case <-h.closed:
		return net.ErrClosed
	}
}

func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.connections:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close is called once, by the server that accepts.
func (h *handover) Close() error {
	close(h.closed)
	return nil
}

func (h *handover) Addr() net.Addr { return &net.UnixAddr{Name: "simulated", Net: "unix"} }
