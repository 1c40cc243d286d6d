package keycloak

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
)

const byID = "roles-by-id"

func role() kind {
	of := func(t target) []string {
		if owner := t.text("clientId"); owner != "" {
			return []string{t.text("realmId"), "clients", owner, "roles"}
		}
		return []string{t.text("realmId"), "roles"}
	}
	_, at := under(byID)
	k := kind{what: "role", autonamed: true, imported: []string{"realmId", "id"}, properties: []property{
		inRealm,
		{name: "clientId", immutable: true},
		{name: "name", field: "name", required: true},
		{name: "description", field: "description", computed: true},
	}}.documents(of, at)
	idOf := func(ctx context.Context, s *session, t target) (string, error) {
		found := values{}
		_, err := s.call(ctx, http.MethodGet, append(of(t), t.text("name")), nil, &found)
		return textOf(found, "id", ""), err
	}
	k.create = func(ctx context.Context, s *session, t target, body values) (string, error) {
		// The server says where the role is by its name only.
		if _, err := s.call(ctx, http.MethodPost, of(t), body, nil); err != nil {
			return "", err
		}
		return idOf(ctx, s, t)
	}
	k.existing = func(ctx context.Context, s *session, t target) string {
		if id, err := idOf(ctx, s, t); err == nil {
			return t.text("realmId") + "/" + id
		}
		return ""
	}
	return k
}

var errNotGranted = errors.New("the role is not granted")

// grants gives a kind the operations of a role that something has. Which returns the role, and where the place of what
// the thing has of its sort.
func (k kind) grants(
	which func(t target) []string, where func(t target, role values) []string, identify func(t target, role values) string,
) kind {
	find := func(ctx context.Context, s *session, t target) (role values, place []string, err error) {
		role = values{}
		if _, err = s.call(ctx, http.MethodGet, which(t), nil, &role); err != nil {
			return nil, nil, fmt.Errorf("the role: %w", err)
		}
		return role, where(t, role), nil
	}
	k.create = func(ctx context.Context, s *session, t target, _ values) (string, error) {
		role, place, err := find(ctx, s, t)
		if err != nil {
			return "", err
		}
		_, err = s.call(ctx, http.MethodPost, place, []values{role}, nil)
		return identify(t, role), err
	}
	k.read = func(ctx context.Context, s *session, t target) (values, error) {
		role, place, err := find(ctx, s, t)
		if err != nil {
			return nil, err
		}
		var all []values
		if _, err := s.call(ctx, http.MethodGet, place, nil, &all); err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(each values) bool { return each["id"] == role["id"] }) {
			return nil, errNotGranted
		}
		return values{"role": role["name"]}, nil
	}
	k.remove = func(ctx context.Context, s *session, t target) error {
		role, place, err := find(ctx, s, t)
		if err == nil {
			_, err = s.call(ctx, http.MethodDelete, place, []values{role}, nil)
		}
		return err
	}
	return k
}

// serviceAccountRole is a realm role of a client's service account.
func serviceAccountRole() kind {
	return kind{
		what: "role of a service account", imported: []string{"realmId", "serviceAccountUserId", "id"},
		properties: []property{
			inRealm,
			{name: "serviceAccountUserId", required: true, immutable: true},
			{name: "role", field: "role", required: true, immutable: true},
		},
	}.grants(
		func(t target) []string {
			if t.id == "" {
				return []string{t.text("realmId"), "roles", t.text("role")}
			}
			return []string{t.text("realmId"), byID, path.Base(t.id)}
		},
		func(t target, _ values) []string {
			return []string{t.text("realmId"), "users", t.text("serviceAccountUserId"), "role-mappings", "realm"}
		},
		func(t target, role values) string {
			return t.text("serviceAccountUserId") + "/" + textOf(role, "id", "")
		})
}

// scopeMapping is a role that the tokens of a client, or of whoever asks for a client scope, may carry.
func scopeMapping() kind {
	return kind{what: "scope mapping", properties: []property{
		inRealm,
		{name: "clientId", immutable: true},
		{name: "clientScopeId", immutable: true},
		{name: "roleId", required: true, immutable: true},
	}}.grants(
		func(t target) []string { return []string{t.text("realmId"), byID, t.text("roleId")} },
		func(t target, role values) []string {
			place := append(append([]string{t.text("realmId")}, owner(t)...), "scope-mappings")
			if role["clientRole"] == true {
				return append(place, "clients", textOf(role, "containerId", ""))
			}
			return append(place, "realm")
		},
		func(t target, role values) string {
			what, container := "client", ""
			if t.text("clientId") == "" {
				what = "client-scope"
			}
			if role["clientRole"] == true {
				container = textOf(role, "containerId", "")
			}
			return fmt.Sprintf("%s/%s/%s/scope-mappings/%s/%s",
				t.text("realmId"), what, owner(t)[1], container, textOf(role, "id", ""))
		})
}

// owner is the place, in its realm, of the client or the client scope that something belongs to.
func owner(t target) []string {
	if scope := t.text("clientScopeId"); scope != "" {
		return []string{"client-scopes", scope}
	}
	return []string{"clients", t.text("clientId")}
}
