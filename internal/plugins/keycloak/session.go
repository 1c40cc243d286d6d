package keycloak

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/Nerzal/gocloak/v13"
)

// spare is how long before its end a token is not used any more.
const spare = 10 * time.Second

// settings are the inputs of a provider resource.
type settings struct {
	url, basePath, realm, clientID, clientSecret, username, password string
	// authority is the certificate of the server's authority, in PEM form; empty: those of the system.
	authority  string
	skipVerify bool
	timeout    time.Duration
	headers    map[string]string
	// unknown names the inputs that a preview does not know yet.
	unknown []string
}

// session is how one provider resource talks to its server during an operation of the engine.
type session struct {
	settings
	client *gocloak.GoCloak
	stop   context.CancelFunc

	mu      sync.Mutex
	token   string
	expires time.Time
}

// open makes a session. Nobody is asked before there is something to ask.
func (p *Provider) open(s settings) (*session, error) {
	next, err := dial(s)
	if err != nil {
		return nil, err
	}
	wait := p.patience
	if p.memory != nil {
		next, wait = p.memory.at(s.basePath), 0
		s.url = "http://memory.invalid"
	}
	stopped, stop := context.WithCancel(context.Background())
	base := strings.Trim(s.basePath, "/")
	client := gocloak.NewClient(s.url,
		gocloak.SetAuthRealms(path.Join(base, "realms")), gocloak.SetAuthAdminRealms(path.Join(base, "admin", "realms")))
	// Plain HTTP is a decision of whoever configures the address, and a library's place is not standard error.
	client.RestyClient().SetDisableWarn(true).SetTransport(
		&transport{next: next, patience: wait, headers: s.headers, stop: stopped})
	return &session{settings: s, client: client, stop: stop}, nil
}

// do runs something with a token. A token that the server does not like any more, such as one from before a realm was
// made, is renewed once.
func (s *session) do(ctx context.Context, something func(ctx context.Context, token string) error) error {
	var failure error
	ctx = context.WithValue(ctx, failureKey{}, &failure)
	run := func() (string, error) {
		failure = nil
		token, err := s.login(ctx)
		if err == nil {
			err = something(ctx, token)
		}
		if err != nil && failure != nil {
			err = fmt.Errorf("reach Keycloak at %s: %w", s.url, failure)
		}
		return token, err
	}
	token, err := run()
	if code := status(err); token != "" && (code == http.StatusUnauthorized || code == http.StatusForbidden) {
		s.forget(token)
		_, err = run()
	}
	return err
}

// login returns a token, of which there is one at a time.
func (s *session) login(ctx context.Context) (string, error) {
	if len(s.unknown) > 0 {
		return "", fmt.Errorf("reach Keycloak: %s of its provider are not known yet", strings.Join(s.unknown, ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token != "" && time.Now().Before(s.expires) {
		return s.token, nil
	}
	grant, who := "client_credentials", "client "+s.clientID
	options := gocloak.TokenOptions{ClientID: &s.clientID, GrantType: &grant}
	if s.clientSecret != "" {
		options.ClientSecret = &s.clientSecret
	}
	if s.username != "" {
		grant, who = "password", "user "+s.username
		options.Username, options.Password = &s.username, &s.password
	}
	asked := time.Now()
	jwt, err := s.client.GetToken(ctx, s.realm, options)
	if err != nil {
		return "", fmt.Errorf("log in to Keycloak at %s as %s of realm %s: %w", s.url, who, s.realm, err)
	}
	s.token, s.expires = jwt.AccessToken, asked.Add(time.Duration(jwt.ExpiresIn)*time.Second-spare)
	return s.token, nil
}

// forget drops a token, unless there is a newer one.
func (s *session) forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == token {
		s.token = ""
	}
}

// call sends a request to the admin API, for what the client library's own types are too narrow: they would drop fields
// that they do not know. It returns the last part of where something was made.
func (s *session) call(ctx context.Context, method string, place []string, body, into any) (made string, err error) {
	escaped := make([]string, len(place))
	for i, part := range place {
		escaped[i] = url.PathEscape(part)
	}
	address := strings.TrimRight(s.url, "/") + path.Join("/", s.basePath, "admin", "realms", strings.Join(escaped, "/"))
	err = s.do(ctx, func(ctx context.Context, token string) error {
		request := s.client.GetRequestWithBearerAuth(ctx, token)
		if body != nil {
			request.SetBody(body)
		}
		if into != nil {
			request.SetResult(into)
		}
		response, err := request.Execute(method, address)
		if err != nil {
			return err
		}
		if response.IsError() {
			said := response.Status()
			if e, ok := response.Error().(*gocloak.HTTPErrorResponse); ok && e.NotEmpty() {
				said += ": " + e.String()
			}
			return &gocloak.APIError{Code: response.StatusCode(), Message: said}
		}
		made = path.Base(response.Header().Get("Location"))
		return nil
	})
	if err != nil {
		return "", err
	}
	return url.PathUnescape(made)
}

// status is the code of an answer that is an error, or 0.
func status(err error) int {
	var answer *gocloak.APIError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

// gone says whether Keycloak knows of no such thing. A proxy that does not let the admin API through says 404 as well,
// but without Keycloak's words: to take that for an answer would forget all there is.
func gone(err error) bool {
	return errors.Is(err, errNotGranted) || status(err) == http.StatusNotFound && !wordless(err)
}

// wordless says whether an error of the server has no reason.
func wordless(err error) bool {
	var answer *gocloak.APIError
	if !errors.As(err, &answer) {
		return false
	}
	_, reason, _ := strings.Cut(answer.Message, ": ")
	return reason == ""
}
