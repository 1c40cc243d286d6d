package keycloak

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// patience is how long a server that does not listen yet, or that a proxy does not reach, is waited for: Keycloak takes
// that long to get from ready to served, and a forwarded port from broken to whole.
const patience = 30 * time.Second

// transport waits for a server that is starting. Nothing else is tried again: what the server has received, it may
// have done.
type transport struct {
	next     http.RoundTripper
	patience time.Duration
	headers  map[string]string
	// stop ends with the engine's operation.
	stop context.Context
}

// dial returns a transport to the server of a provider resource.
func dial(s settings) (http.RoundTripper, error) {
	config := &tls.Config{InsecureSkipVerify: s.skipVerify, MinVersion: tls.VersionTLS12} //nolint:gosec // asked for
	if s.authority != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(s.authority)) {
			return nil, errors.New("rootCaCertificate has no certificate in PEM form")
		}
	}
	dialer := &net.Dialer{Timeout: s.timeout}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: config,
		TLSHandshakeTimeout: s.timeout, ResponseHeaderTimeout: s.timeout, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
	}, nil
}

// failureKey is the place, in the context of a request, for the reason why the server could not be reached: the client
// library passes on only words.
type failureKey struct{}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	again, err := t.repeatable(r)
	if err != nil {
		return nil, tell(r, err)
	}
	deadline, first := time.Now().Add(t.patience), 100*time.Millisecond
	for pause := first; ; pause = min(2*pause, 2*time.Second) {
		response, err := t.next.RoundTrip(again())
		reason := starting(r, response, err)
		if reason == nil && err == nil {
			return response, nil
		}
		if response != nil {
			_ = response.Body.Close()
		}
		if reason == nil || time.Now().Add(pause).After(deadline) || !t.wait(r.Context(), pause) {
			return nil, tell(r, cmp.Or(reason, err))
		}
	}
}

// repeatable returns what makes the requests to send. The body is copied: the client library uses the buffer behind it
// for other requests as soon as it has been sent once.
func (t *transport) repeatable(r *http.Request) (func() *http.Request, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err == nil {
			err = r.Body.Close()
		}
		if err != nil {
			return nil, err
		}
	}
	return func() *http.Request {
		again := r.Clone(r.Context())
		for key, value := range t.headers {
			again.Header.Set(key, value)
		}
		again.Body, again.GetBody, again.ContentLength = http.NoBody, nil, int64(len(body))
		if len(body) > 0 {
			again.Body = io.NopCloser(bytes.NewReader(body))
			again.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		}
		return again
	}, nil
}

// tell notes why the server could not be reached.
func tell(r *http.Request, err error) error {
	if failure, ok := r.Context().Value(failureKey{}).(*error); ok {
		*failure = err
	}
	return err
}

// starting returns why the server seems to be about to start, or nil.
func starting(r *http.Request, response *http.Response, err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return err
	// A forwarded port accepts before it knows whether there is something behind it. To ask for a token twice does no
	// harm.
	case (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) && r.Header.Get("Authorization") == "":
		return err
	case err != nil:
		return nil
	case response.StatusCode == http.StatusBadGateway, response.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("the answer is %s", response.Status)
	}
	return nil
}

func (t *transport) wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-t.stop.Done():
	}
	return false
}
