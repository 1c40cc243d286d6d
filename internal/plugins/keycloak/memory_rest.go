package keycloak

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// answer is one of the imitated API's.
type answer struct {
	status int
	body   any
	// made is the last part of where something was made.
	made string
}

func said(v any) answer       { return answer{status: http.StatusOK, body: v} }
func done() answer            { return answer{status: http.StatusNoContent} }
func made(name string) answer { return answer{status: http.StatusCreated, made: name} }
func missing(what string) answer {
	return answer{status: http.StatusNotFound, body: values{"error": what}}
}
func taken(what string) answer      { return failed(http.StatusConflict, what) }
func failed(s int, w string) answer { return answer{status: s, body: values{"errorMessage": w}} }

// asked is a request to the imitated API, in a realm that there is.
type asked struct {
	*http.Request
	content *content
	realm   *contentRealm
	// body is an object, or the only one of a list of them.
	body values
}

// handler answers what this plugin asks of Keycloak's REST API, as Keycloak 26 does.
func (m *memory) handler() http.Handler {
	mux := http.NewServeMux()
	answers := func(pattern string, give func(asked) answer) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { m.serve(w, r, give) })
	}
	// Anybody may log in: there is nobody to know a password.
	answers("POST /realms/{master}/protocol/openid-connect/token", func(asked) answer {
		return said(values{"access_token": uuid.NewString(), "expires_in": 60, "token_type": "Bearer"})
	})
	answers("POST /admin/realms", createRealm)
	answers("GET /admin/realms/{realm}", func(a asked) answer { return said(a.realm.Realm) })
	answers("PUT /admin/realms/{realm}", func(a asked) answer { a.realm.change(a.body); return done() })
	answers("DELETE /admin/realms/{realm}", func(a asked) answer {
		delete(a.content.Realms, a.PathValue("realm"))
		return done()
	})
	answers("GET /admin/realms/{realm}/events/config", func(a asked) answer { return said(a.realm.events()) })
	answers("PUT /admin/realms/{realm}/events/config", func(a asked) answer {
		a.realm.change(a.body)
		return done()
	})
	clientAnswers(answers)
	scopeAnswers(answers)
	roleAnswers(answers)
	return mux
}

func (m *memory) serve(w http.ResponseWriter, r *http.Request, give func(asked) answer) {
	a := asked{Request: r}
	var err error
	if a.body, err = bodyOf(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	gave, err := m.do(r.Method != http.MethodGet, func(c *content) answer {
		a.content = c
		if name := r.PathValue("realm"); name != "" {
			if a.realm = c.Realms[name]; a.realm == nil {
				return missing("Realm not found.")
			}
		}
		return give(a)
	})
	if err != nil {
		gave = answer{status: http.StatusInternalServerError, body: values{"error": err.Error()}}
	}
	w.Header().Set("Content-Type", "application/json")
	if gave.made != "" {
		w.Header().Set("Location", strings.TrimRight(r.URL.String(), "/")+"/"+gave.made)
	}
	w.WriteHeader(gave.status)
	if gave.body != nil {
		_ = json.NewEncoder(w).Encode(gave.body)
	}
}

func bodyOf(r *http.Request) (values, error) {
	if r.Body == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return nil, nil
	}
	var v any
	if err := json.NewDecoder(r.Body).Decode(&v); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case values:
		return v, nil
	case []any:
		if len(v) == 1 {
			return object(v[0]), nil
		}
	}
	return nil, errors.New("the request has a body of another form")
}

func createRealm(a asked) answer {
	name := textOf(a.body, "realm", "")
	switch {
	case name == "" || strings.Contains(name, "/"):
		return failed(http.StatusBadRequest, "Realm name cannot be empty or have a / in it")
	case a.content.Realms[name] != nil:
		return taken("Realm " + name + " already exists")
	}
	if a.body["id"] == nil {
		a.body["id"] = uuid.NewString()
	}
	r, err := newRealm(a.body)
	if err != nil {
		return failed(http.StatusInternalServerError, err.Error())
	}
	a.content.Realms[name] = r
	return made(name)
}

// change takes over what a representation says of the realm.
func (r *contentRealm) change(representation values) {
	for key, v := range representation {
		if key == "browserSecurityHeaders" {
			// What is not said of them is as Keycloak has it.
			v = merged(object(r.Realm[key]), object(v))
		}
		r.Realm[key] = v
	}
}

func (r *contentRealm) events() values {
	config := values{}
	for _, p := range events().properties {
		if v, there := r.Realm[p.field]; there && p.field != "" {
			config[p.field] = v
		}
	}
	if len(texts(config["enabledEventTypes"])) == 0 {
		config["enabledEventTypes"] = r.Events
	}
	return config
}

func clientAnswers(answers func(string, func(asked) answer)) {
	const one = "/admin/realms/{realm}/clients/{client}"
	found := func(give func(a asked, id string, client values) answer) func(asked) answer {
		return func(a asked) answer {
			id := a.PathValue("client")
			if a.realm.Clients[id] == nil {
				return missing("Could not find client")
			}
			return give(a, id, a.realm.Clients[id])
		}
	}
	answers("GET /admin/realms/{realm}/clients", func(a asked) answer {
		all := []values{}
		for _, each := range a.realm.Clients {
			if each["clientId"] == a.URL.Query().Get("clientId") {
				all = append(all, each)
			}
		}
		return said(all)
	})
	answers("POST /admin/realms/{realm}/clients", createClient)
	answers("GET "+one, found(func(_ asked, _ string, client values) answer { return said(client) }))
	answers("PUT "+one, found(func(a asked, id string, client values) answer {
		a.realm.changeClient(id, client, a.body)
		return done()
	}))
	answers("DELETE "+one, found(func(a asked, id string, _ values) answer {
		a.realm.removeAccount(id)
		delete(a.realm.Clients, id)
		delete(a.realm.Attached, id)
		delete(a.realm.Granted, "clients/"+id+"/scope-mappings")
		return done()
	}))
	answers("GET "+one+"/service-account-user", found(func(a asked, id string, client values) answer {
		if a.realm.Accounts[id] == "" {
			return failed(http.StatusBadRequest, "Service account not enabled for the client")
		}
		name := "service-account-" + textOf(client, "clientId", "")
		return said(values{"id": a.realm.Accounts[id], "username": name})
	}))
	for _, which := range []string{"default", "optional"} {
		answers("GET "+one+"/"+which+"-client-scopes", found(func(a asked, id string, _ values) answer {
			return said(a.realm.attached(id, which))
		}))
		answers("PUT "+one+"/"+which+"-client-scopes/{scope}", found(func(a asked, id string, _ values) answer {
			return a.realm.attach(id, which, a.PathValue("scope"))
		}))
		answers("DELETE "+one+"/"+which+"-client-scopes/{scope}", found(func(a asked, id string, _ values) answer {
			if a.realm.Scopes[a.PathValue("scope")] == nil {
				return missing("Client scope not found")
			}
			a.realm.detach(id, a.PathValue("scope"))
			return done()
		}))
	}
}

func createClient(a asked) answer {
	name := textOf(a.body, "clientId", "")
	for _, each := range a.realm.Clients {
		if each["clientId"] == name {
			return taken("Client " + name + " already exists")
		}
	}
	client := values{
		"enabled": true, "clientAuthenticatorType": "client-secret", "redirectUris": []any{}, "webOrigins": []any{},
		"bearerOnly": false, "publicClient": false, "consentRequired": false, "standardFlowEnabled": true,
		"implicitFlowEnabled": false, "directAccessGrantsEnabled": false, "serviceAccountsEnabled": false,
		"frontchannelLogout": false, "fullScopeAllowed": true, "attributes": values{"realm_client": "false"},
	}
	id := put(a.realm.Clients, client)
	a.realm.Attached[id] = map[string][]string{}
	for which, names := range map[string][]string{"default": a.realm.Default, "optional": a.realm.Optional} {
		for scope, each := range a.realm.Scopes {
			if slices.Contains(names, textOf(each, "name", "")) {
				a.realm.attach(id, which, scope)
			}
		}
	}
	a.realm.changeClient(id, client, a.body)
	return made(id)
}

// changeClient takes over what a representation says. Empty attributes go.
func (r *contentRealm) changeClient(id string, client, representation values) {
	attributes := merged(object(client["attributes"]), object(representation["attributes"]))
	maps.DeleteFunc(attributes, func(_ string, v any) bool { return v == "" || v == nil })
	maps.Copy(client, representation)
	client["id"], client["attributes"] = id, attributes
	switch confidential := client["publicClient"] != true && client["bearerOnly"] != true; {
	case !confidential:
		delete(client, "secret")
	case textOf(client, "secret", "") == "":
		client["secret"] = strings.ReplaceAll(uuid.NewString(), "-", "")
	}
	switch {
	case client["serviceAccountsEnabled"] != true:
		r.removeAccount(id)
	case r.Accounts[id] == "":
		r.Accounts[id] = uuid.NewString()
		for scope, each := range r.Scopes {
			if each["name"] == "service_account" {
				r.attach(id, "default", scope)
			}
		}
		for role, each := range r.Roles {
			if each["name"] == "default-roles-"+textOf(r.Realm, "realm", "") {
				r.Granted["users/"+r.Accounts[id]+"/role-mappings"] = []string{role}
			}
		}
	}
}

func (r *contentRealm) removeAccount(client string) {
	user := r.Accounts[client]
	if user == "" {
		return
	}
	delete(r.Granted, "users/"+user+"/role-mappings")
	delete(r.Accounts, client)
	for scope, each := range r.Scopes {
		if each["name"] == "service_account" {
			r.detach(client, scope)
		}
	}
}

func (r *contentRealm) attached(client, which string) []values {
	all := []values{}
	for _, id := range r.Attached[client][which] {
		all = append(all, r.Scopes[id])
	}
	return all
}

// attach adds a scope to one of a client's sets, unless it is in the other one.
func (r *contentRealm) attach(client, which, scope string) answer {
	if r.Scopes[scope] == nil {
		return missing("Client scope not found")
	}
	for _, set := range r.Attached[client] {
		if slices.Contains(set, scope) {
			return done()
		}
	}
	r.Attached[client][which] = append(r.Attached[client][which], scope)
	return done()
}

func (r *contentRealm) detach(client, scope string) {
	for which, set := range r.Attached[client] {
		r.Attached[client][which] = slices.DeleteFunc(set, func(id string) bool { return id == scope })
	}
}
