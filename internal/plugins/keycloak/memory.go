package keycloak

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Memory is a Keycloak without a server: what a program makes in it is remembered, and nobody can log in to it.
type Memory struct {
	// StateFile is the file that holds the realms; its directory must exist. Empty: they end with the plugin. The file
	// is read anew for each operation: what somebody changes in it is drift.
	StateFile string
}

// fresh is what Keycloak 26.7.3 says of a realm that has just been made: its defaults, client scopes and roles.
//
//go:embed fresh.json
var fresh []byte

// content is everything in the imitated Keycloak, in the form of its file.
type content struct {
	Realms map[string]*contentRealm `json:"realms"`
}

// contentRealm is one realm. All in it but sets and users are representations, by their IDs.
type contentRealm struct {
	Realm   values            `json:"realm"`
	Events  []string          `json:"events"` // all types of events
	Clients map[string]values `json:"clients"`
	Scopes  map[string]values `json:"clientScopes"`
	Roles   map[string]values `json:"roles"`
	// Attached are the IDs of a client's scopes by the client's ID and the name of the set.
	Attached map[string]map[string][]string `json:"attachedScopes"`
	// Accounts are the IDs of the users that clients are, by the client's ID.
	Accounts map[string]string `json:"serviceAccounts"`
	// Granted are the IDs of the roles of users, clients and client scopes, by their place below the realm.
	Granted map[string][]string `json:"grantedRoles"`
	// Default and Optional are the names of the scopes of a new client.
	Default  []string `json:"defaultScopes"`
	Optional []string `json:"optionalScopes"`
}

func newRealm(representation values) (*contentRealm, error) {
	var first struct {
		Realm             values
		Scopes, Roles     []values
		Default, Optional []string
		Events            []string
	}
	if err := json.Unmarshal(fresh, &first); err != nil {
		return nil, fmt.Errorf("a new realm: %w", err)
	}
	r := &contentRealm{
		Realm: first.Realm, Events: first.Events, Default: first.Default, Optional: first.Optional,
		Clients: map[string]values{}, Scopes: map[string]values{}, Roles: map[string]values{},
		Attached: map[string]map[string][]string{}, Accounts: map[string]string{}, Granted: map[string][]string{},
	}
	r.change(merged(representation, values{
		"attributes": merged(object(first.Realm["attributes"]), object(representation["attributes"])),
	}))
	for _, each := range first.Scopes {
		put(r.Scopes, each)
	}
	for _, each := range first.Roles {
		each["clientRole"], each["containerId"] = false, r.Realm["id"]
		put(r.Roles, each)
	}
	put(r.Roles, values{
		"name": "default-roles-" + textOf(r.Realm, "realm", ""), "description": "${role_default-roles}",
		"composite": true, "clientRole": false, "containerId": r.Realm["id"],
	})
	return r, nil
}

// put keeps a representation under a new ID, and returns it.
func put(in map[string]values, representation values) (id string) {
	if id = textOf(representation, "id", ""); id == "" {
		id = uuid.NewString()
	}
	representation["id"] = id
	in[id] = representation
	return id
}

// memory keeps the content, in a file or without one in the process.
type memory struct {
	file string

	mu   sync.Mutex
	kept []byte
}

func newMemory(m Memory) *memory { return &memory{file: m.StateFile} }

// at returns a transport that asks the memory instead of a server.
func (m *memory) at(basePath string) http.RoundTripper {
	return answering{http.StripPrefix(strings.TrimRight(path.Join("/", basePath), "/"), m.handler())}
}

// answering is a transport whose server is a handler.
type answering struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &recorded{header: http.Header{}, status: http.StatusOK}
	a.handler.ServeHTTP(w, r)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: r,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
	}, nil
}

type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorded) Header() http.Header         { return w.header }
func (w *recorded) WriteHeader(status int)      { w.status = status }
func (w *recorded) Write(b []byte) (int, error) { return w.body.Write(b) }

// do lets something look at the content, and keeps what it changes unless it fails.
func (m *memory) do(changes bool, something func(*content) answer) (answer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, err := m.load()
	if err != nil {
		return answer{}, err
	}
	a := something(c)
	if !changes || a.status >= http.StatusBadRequest {
		return a, nil
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return a, fmt.Errorf("encode the realms: %w", err)
	}
	if m.file == "" {
		m.kept = data
		return a, nil
	}
	return a, keep(m.file, data)
}

func (m *memory) load() (*content, error) {
	data := m.kept
	if m.file != "" {
		var err error
		if data, err = os.ReadFile(m.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the realms: %w", err)
		}
	}
	c := &content{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, c); err != nil {
			return nil, fmt.Errorf("read the realms from %s: %w", m.file, err)
		}
	}
	if c.Realms == nil {
		c.Realms = map[string]*contentRealm{}
	}
	return c, nil
}

// keep writes a file such that it is never there by half. It holds secrets, and is its owner's only.
func keep(file string, data []byte) error {
	next, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return fmt.Errorf("keep the realms: %w", err)
	}
	defer os.Remove(next.Name()) //nolint:errcheck // renamed, if all is well
	if _, err = next.Write(data); err == nil {
		err = next.Close()
	}
	if err == nil {
		err = os.Rename(next.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("keep the realms: %w", err)
	}
	return nil
}
