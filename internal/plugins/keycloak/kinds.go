package keycloak

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// target is one resource: its inputs and, when it exists, its ID.
type target struct {
	id string
	in values
}

func (t target) text(name string) string { return textOf(t.in, name, "") }

// kind is one type of resource.
type kind struct {
	// what it is called in messages.
	what       string
	properties []property
	// autonamed has its name made up when a program does not give one.
	autonamed bool
	// create makes it and returns its ID.
	create func(ctx context.Context, s *session, t target, body values) (id string, err error)
	// read returns its representation.
	read func(ctx context.Context, s *session, t target) (values, error)
	// update and remove change and delete it. Without update, any change makes another resource.
	update func(ctx context.Context, s *session, t target, body values) error
	remove func(ctx context.Context, s *session, t target) error
	// imported is the form of the ID of an import, by the properties in it and the ID itself at last.
	imported []string
	// existing returns the ID of an import of what is there already.
	existing func(ctx context.Context, s *session, t target) string
}

var kinds = map[string]kind{
	"keycloak:index/realm:Realm":                                                  realm(),
	"keycloak:index/realmEvents:RealmEvents":                                      events(),
	"keycloak:index/role:Role":                                                    role(),
	"keycloak:index/genericRoleMapper:GenericRoleMapper":                          scopeMapping(),
	"keycloak:openid/client:Client":                                               client(),
	"keycloak:openid/clientScope:ClientScope":                                     clientScope(),
	"keycloak:openid/clientDefaultScopes:ClientDefaultScopes":                     scopesOf("default"),
	"keycloak:openid/clientOptionalScopes:ClientOptionalScopes":                   scopesOf("optional"),
	"keycloak:openid/clientServiceAccountRealmRole:ClientServiceAccountRealmRole": serviceAccountRole(),
	"keycloak:openid/hardcodedClaimProtocolMapper:HardcodedClaimProtocolMapper":   hardcodedClaim(),
	"keycloak:openid/userSessionNoteProtocolMapper:UserSessionNoteProtocolMapper": sessionNote(),
	"keycloak:openid/audienceProtocolMapper:AudienceProtocolMapper":               audience(),
	"keycloak:openid/userRealmRoleProtocolMapper:UserRealmRoleProtocolMapper":     realmRoles(),
}

func kindNames() []string { return slices.Sorted(maps.Keys(kinds)) }

// In the form of an import's ID, ofOwner stands for client or client-scope, and ownerID for the ID of that.
const ofOwner, ownerID = "client|client-scope", "its ID"

var owners = map[string]string{"client": "clientId", "client-scope": "clientScopeId"}

// inRealm is the property of all that is in a realm.
var inRealm = property{name: "realmId", required: true, immutable: true}

// documents gives a kind the operations of what has one representation at one place. Of returns the place where there
// are such things, below the realms; at returns the place of one of them.
func (k kind) documents(of func(t target) []string, at func(t target) []string) kind {
	k.create = func(ctx context.Context, s *session, t target, body values) (string, error) {
		return s.call(ctx, http.MethodPost, of(t), body, nil)
	}
	k.read = func(ctx context.Context, s *session, t target) (values, error) {
		found := values{}
		_, err := s.call(ctx, http.MethodGet, at(t), nil, &found)
		return found, err
	}
	k.update = func(ctx context.Context, s *session, t target, body values) error {
		_, err := s.call(ctx, http.MethodPut, at(t), body, nil)
		return err
	}
	k.remove = func(ctx context.Context, s *session, t target) error {
		_, err := s.call(ctx, http.MethodDelete, at(t), nil, nil)
		return err
	}
	return k
}

// under returns the place of something in a realm, by its ID.
func under(what ...string) (of, at func(t target) []string) {
	of = func(t target) []string { return append([]string{t.text("realmId")}, what...) }
	return of, func(t target) []string { return append(of(t), t.id) }
}

// adopt reads the ID of an import.
func (k kind) adopt(id string) (target, error) {
	if len(k.imported) == 0 {
		return target{}, fmt.Errorf("the built-in keycloak plugin cannot import a %s (use the published plugins)", k.what)
	}
	parts := strings.Split(id, "/")
	wrong := fmt.Errorf("import a %s: the ID is %q; want %s", k.what, id, strings.Join(k.imported, "/"))
	if len(parts) < len(k.imported) || slices.Contains(parts, "") {
		return target{}, wrong
	}
	t := target{id: id, in: values{}}
	for i, name := range k.imported {
		switch name {
		case "id":
			t.id = strings.Join(parts[i:], "/")
		case ofOwner:
			if owners[parts[i]] == "" {
				return target{}, wrong
			}
		case ownerID:
			t.in[owners[parts[i-1]]] = parts[i]
		default:
			t.in[name] = parts[i]
		}
	}
	return t, nil
}
