package proxy

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// serveHTTP is a forward proxy for real processes, and the ingress for whoever asks with a host's name.
func (p *Proxy) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		p.connect(w, r.Host)
		return
	}
	target, err := p.target(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(&url.URL{Scheme: "http", Host: target})
			request.Out.Host = r.Host
			request.SetXForwarded()
		},
		Transport: direct,
		ErrorLog:  quietLog(p.config.Log),
	}
	forward.ServeHTTP(w, r)
}

// direct never goes by way of another proxy.
var direct = &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 4, IdleConnTimeout: dialTimeout}

// target returns the address of the process that answers a request.
func (p *Proxy) target(r *http.Request) (string, error) {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = r.Host, "80"
	}
	b, ours, err := p.cluster.resolve(net.JoinHostPort(host, port))
	if !ours {
		b, ours, err = p.cluster.ingress(host, r.URL.Path)
	}
	switch {
	case err != nil:
		return "", err
	case b.simulated:
		return "", fmt.Errorf("%s is served by a simulated pod, which does not answer", r.Host)
	case ours:
		return b.address, nil
	case isLoopback(host) && r.URL.IsAbs() && r.Host != p.http.Addr().String():
		return net.JoinHostPort(host, port), nil
	}
	return "", fmt.Errorf("no service and no ingress is responsible for %s%s", r.Host, r.URL.Path)
}

func quietLog(w io.Writer) *log.Logger { return log.New(w, "proxy: ", 0) }
