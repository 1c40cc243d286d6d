package identity_test

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// send posts a form and decodes the answer.
func send(ctx context.Context, client *http.Client, address string, form url.Values) (map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Status, body)
	}
	var decoded map[string]any
	return decoded, json.Unmarshal(body, &decoded)
}

func tokenURL(base, realm string) string {
	return base + "/realms/" + realm + "/protocol/openid-connect/token"
}

// adminToken logs in as the Control Plane's operators do.
func (i *installation) adminToken(s *server, base string) string {
	i.t.Helper()
	secret := i.Data("Secret", "iris-admin")
	answer, err := send(i.t.Context(), i.client(s), tokenURL(base, "master"), url.Values{
		"grant_type": {"password"}, "client_id": {"admin-cli"},
		"username": {secret["username"]}, "password": {secret["password"]},
	})
	require.NoError(i.t, err)
	return answer["access_token"].(string)
}

// credentials ask for a token of a client itself.
func credentials(id, secret string) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
}

// verified checks a token's signature with the keys of a realm, and returns its claims.
func (i *installation) verified(s *server, token, keysURL string) jwt.MapClaims {
	i.t.Helper()
	status, body := i.get(s, keysURL, nil)
	require.Equal(i.t, http.StatusOK, status, body)
	var set struct {
		Keys []struct{ Kid, Kty, N, E string }
	}
	require.NoError(i.t, json.Unmarshal([]byte(body), &set))
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(parsed *jwt.Token) (any, error) {
		for _, key := range set.Keys {
			if key.Kid == parsed.Header["kid"] && key.Kty == "RSA" {
				n, err := base64.RawURLEncoding.DecodeString(key.N)
				if err != nil {
					return nil, err
				}
				e, err := base64.RawURLEncoding.DecodeString(key.E)
				return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, err
			}
		}
		return nil, fmt.Errorf("no key %v", parsed.Header["kid"])
	})
	require.NoError(i.t, err)
	return claims
}

// load asks for tokens all the time, of one server after the other. Servers that refuse connections are left out at once;
// clients of a Service also leave out those that are not ready, soon.
type load struct {
	ofService bool

	mutex    sync.Mutex
	targets  []*target
	tokens   int
	failures []failure
	next     int
}

type target struct {
	server  *server
	client  *http.Client
	unready int  // probes that failed since the last one that passed
	gone    bool // for good
}

type failure struct {
	at  time.Time
	err error
}

// loadOn begins to ask servers until stop, as clients of a Service or as clients that know the servers' addresses only.
func (i *installation) loadOn(ofService bool, form url.Values, servers ...*server) (l *load, stop func()) {
	i.t.Helper()
	l = &load{ofService: ofService}
	for _, s := range servers {
		l.targets = append(l.targets, &target{server: s, client: i.direct(s)})
	}
	ctx, cancel := context.WithCancel(i.t.Context())
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for ctx.Err() == nil {
				l.once(ctx, form)
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	for _, t := range l.targets {
		workers.Go(func() {
			period := time.Duration(t.server.Container.Spec.ReadinessProbe.PeriodSeconds) * time.Second
			for ; ctx.Err() == nil; sleep(ctx, period) {
				l.probe(ctx, t)
			}
		})
	}
	return l, func() {
		cancel()
		workers.Wait()
	}
}

func sleep(ctx context.Context, period time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(period):
	}
}

// probe does what a kubelet does.
func (l *load) probe(ctx context.Context, t *target) {
	err := t.server.Ready(ctx)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if t.unready++; err == nil {
		t.unready = 0
	}
}

// leaveOut is what becomes of the endpoint of a pod that is deleted.
func (l *load) leaveOut(s *server) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, t := range l.targets {
		if t.server == s {
			t.gone = true
		}
	}
}

// turn is the server whose turn it is; nil: there is none.
func (l *load) turn() *target {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for range l.targets {
		t := l.targets[l.next%len(l.targets)]
		l.next++
		unready := l.ofService && t.unready >= int(t.server.Container.Spec.ReadinessProbe.FailureThreshold)
		if !t.gone && !unready {
			return t
		}
	}
	return nil
}

// once gets a token from the server whose turn it is, or from the next one that accepts the connection.
func (l *load) once(ctx context.Context, form url.Values) {
	err := errors.New("no server is left")
	for t := l.turn(); t != nil; t = l.turn() {
		_, err = send(ctx, t.client, tokenURL(internalURL, "rover"), form)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
		l.leaveOut(t.server)
	}
	if ctx.Err() != nil {
		return
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err != nil {
		l.failures = append(l.failures, failure{time.Now(), err})
		return
	}
	l.tokens++
}

// failed lists what failed after a time.
func (l *load) failed(after time.Time) []string {
	const most = 20 // enough to see why
	l.mutex.Lock()
	defer l.mutex.Unlock()
	var all []string
	for _, f := range l.failures {
		if f.at.After(after) && len(all) < most {
			all = append(all, fmt.Sprintf("%s after: %v", f.at.Sub(after), f.err))
		}
	}
	return all
}

func (l *load) count() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.tokens
}

// serves waits for a number of further tokens.
func (l *load) serves(t *testing.T, more int) {
	t.Helper()
	want := l.count() + more
	deadline := time.Now().Add(time.Minute)
	for l.count() < want {
		if time.Now().After(deadline) {
			require.Failf(t, "too few tokens", "%d instead of %d; %v", l.count(), want, l.failed(time.Time{}))
		}
		time.Sleep(20 * time.Millisecond)
	}
}
