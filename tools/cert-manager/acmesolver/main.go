// Command acmesolver answers the HTTP-01 challenge of one name; cert-manager's controller runs it as a pod. It answers
// like upstream's, which cannot listen on one address only.
package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"

	"github.com/cert-manager/cert-manager/controlplane/command"
)

func main() {
	cmd := command.New("acmesolver")
	port := cmd.Flags.Int("listen-port", 8089, "port to listen on")
	domain := cmd.Flags.String("domain", "", "the name that is to be proved")
	token := cmd.Flags.String("token", "", "the challenge's token")
	key := cmd.Flags.String("key", "", "what to answer to it")
	cmd.Run(func(ctx context.Context) error {
		server := &http.Server{
			Addr:              net.JoinHostPort(cmd.Host(), strconv.Itoa(*port)),
			Handler:           handler(*domain, *token, *key),
			ReadHeaderTimeout: 10 * time.Second,
		}
		stop := context.AfterFunc(ctx, func() { _ = server.Close() })
		defer stop()
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

func handler(domain, token, key string) http.Handler {
	mux := http.NewServeMux()
	healthy := func(http.ResponseWriter, *http.Request) {}
	mux.HandleFunc("/{$}", healthy)
	mux.HandleFunc("/healthz", healthy)
	mux.HandleFunc(solver.HTTPChallengePath+"/{token}", func(w http.ResponseWriter, r *http.Request) {
		if hostname(r.Host) != domain || r.PathValue("token") != token {
			logf.Log.Info("asked for another challenge", "host", r.Host, "path", r.URL.Path)
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
		_, _ = io.WriteString(w, key) // who hung up asks again
	})
	return mux
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
