// Package proxy is the network of the local control plane: it takes connections to services and ingresses, and hands
// them to the real processes behind. It has three entries, all of them local:
//
//   - a socket for the API server's calls into the cluster (webhooks, conversion, aggregated APIs). What is meant for a
//     real process is passed through; for a simulated pod the proxy answers in its place, so that a webhook without a
//     program does not block the API; and it answers for the kubelets that there are none of, as far as logs
//     and what is used go;
//   - an HTTP listener that is the forward proxy of real processes and the ingress controller at once;
//   - a name server that knows every name, and that HTTP listener as the address of it, for programs that look up names
//     themselves, such as an ACME server that validates a challenge.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/telekom/controlplane-infrastructure/internal/local/node"
)

// Config says where the proxy listens and who it is.
type Config struct {
	// REST is an administrator's access to the API server.
	REST *rest.Config
	// EgressSocket is the path of the socket that the API server's egress selector names.
	EgressSocket string
	// CACert and CAKey are the PEM files of the authority that the API server trusts for webhooks which name no other.
	CACert, CAKey string
	// KubeletCACert and KubeletCAKey are those of the authority that signs the certificates of kubelets.
	KubeletCACert, KubeletCAKey string
	// Log receives a line for what an operator would want to know. Default: nothing is written.
	Log io.Writer
}

// Proxy is listening.
type Proxy struct {
	config  Config
	ca      *authority
	egress  net.Listener
	http    net.Listener
	names   *nameServer
	cluster *cluster
	node    *node.Node
	calls   *handover
	used    counters
	// kubelets is the authority of theirs.
	kubelets *authority
	servers  map[net.Listener]*http.Server // since Serve
}

// Listen opens the proxy's sockets, so that their addresses are known. Connections are accepted from Serve on.
func Listen(c Config) (*Proxy, error) {
	if c.Log == nil {
		c.Log = io.Discard
	}
	ca, err := loadAuthority(c.CACert, c.CAKey)
	if err != nil {
		return nil, err
	}
	kubelets, err := loadAuthority(c.KubeletCACert, c.KubeletCAKey)
	if err != nil {
		return nil, err
	}
	p := &Proxy{config: c, ca: ca, kubelets: kubelets, calls: newHandover()}
	if err := p.open(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Proxy) open() error {
	var err error
	if err := os.Remove(p.config.EgressSocket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("egress socket: %w", err)
	}
	if p.egress, err = net.Listen("unix", p.config.EgressSocket); err != nil {
		return fmt.Errorf("egress socket: %w", err)
	}
	if p.http, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("HTTP proxy: %w", err)
	}
	if p.names, err = listenNames(); err != nil {
		return fmt.Errorf("name server: %w", err)
	}
	return nil
}

// Close closes the sockets and the connections to those of them that are served.
func (p *Proxy) Close() {
	for _, server := range p.servers {
		server.Close()
	}
	for _, listener := range []net.Listener{p.egress, p.http} {
		if listener != nil {
			listener.Close()
		}
	}
	if p.names != nil {
		p.names.close()
	}
}

// URL returns the address of the HTTP proxy. As an ingress controller it goes by the Host header.
func (p *Proxy) URL() string { return "http://" + p.http.Addr().String() }

// NameServer returns the HOST:PORT of the name server (UDP).
func (p *Proxy) NameServer() string { return p.names.address() }

// Serve starts to pass connections to the node's processes, until Close, and returns. It follows the cluster until ctx
// ends.
func (p *Proxy) Serve(ctx context.Context, n *node.Node) error {
	client, err := kubernetes.NewForConfig(p.config.REST)
	if err != nil {
		return fmt.Errorf("client of the proxy: %w", err)
	}
	p.node = n
	p.cluster = newCluster(informers.NewSharedInformerFactory(client, 0), n)
	p.cluster.factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), p.cluster.synced...) {
		return fmt.Errorf("watch for the proxy: %w", context.Cause(ctx))
	}
	p.servers = map[net.Listener]*http.Server{
		p.egress: {Handler: http.HandlerFunc(p.serveEgress), ReadHeaderTimeout: time.Minute},
		p.http:   {Handler: http.HandlerFunc(p.serveHTTP), ReadHeaderTimeout: time.Minute},
		p.calls:  p.newStub(),
	}
	for listener, server := range p.servers {
		go func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				p.logf("proxy: %v", err)
			}
		}()
	}
	go p.names.serve()
	return nil
}

func (p *Proxy) logf(format string, args ...any) {
	fmt.Fprintf(p.config.Log, format+"\n", args...)
}

// tunnel answers a CONNECT request and copies both ways until both sides are done.
func tunnel(w http.ResponseWriter, backend net.Conn) {
	defer backend.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "this connection cannot be tunnelled: "+err.Error(), http.StatusInternalServerError)
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	done := make(chan struct{}, 2)
	go func() {
		_, _ = io.Copy(backend, buffered)
		closeWrite(backend)
		done <- struct{}{}
	}()
	go func() {
		_, _ = io.Copy(client, backend)
		closeWrite(client)
		done <- struct{}{}
	}()
	<-done
	<-done
}

// closeWrite tells the other side that nothing more follows; where that cannot be told alone the connection ends.
func closeWrite(c net.Conn) {
	if half, can := c.(interface{ CloseWrite() error }); can {
		_ = half.CloseWrite()
		return
	}
	_ = c.Close()
}
