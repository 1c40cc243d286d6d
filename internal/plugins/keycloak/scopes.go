package keycloak

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Nerzal/gocloak/v13"
)

func clientScope() kind {
	of, at := under("client-scopes")
	k := kind{what: "client scope", autonamed: true, imported: []string{"realmId", "id"}, properties: []property{
		inRealm,
		{name: "name", field: "name", required: true},
		{name: "description", field: "description"},
		{name: "consentScreenText", field: "attributes/consent.screen.text"},
		attributeFlag("includeInTokenScope", "include.in.token.scope", true),
		{name: "guiOrder", field: "attributes/gui.order", form: number, quoted: true},
	}}.documents(of, at)
	create, update := k.create, k.update
	complete := func(t target, body values) {
		body["protocol"] = "openid-connect"
		place(body, "attributes/display.on.consent.screen", plainText(t.text("consentScreenText") != ""))
		if look(body, "attributes/gui.order") == "0" {
			place(body, "attributes/gui.order", "") // anywhere
		}
	}
	k.create = func(ctx context.Context, s *session, t target, body values) (string, error) {
		complete(t, body)
		return create(ctx, s, t, body)
	}
	k.update = func(ctx context.Context, s *session, t target, body values) error {
		complete(t, body)
		return update(ctx, s, t, body)
	}
	k.existing = func(ctx context.Context, s *session, t target) string {
		all, err := scopesIn(ctx, s, t.text("realmId"))
		if err != nil || all[t.text("name")] == "" {
			return ""
		}
		return t.text("realmId") + "/" + all[t.text("name")]
	}
	return k
}

// scopesIn returns the IDs of a realm's client scopes by their names.
func scopesIn(ctx context.Context, s *session, realm string) (ids map[string]string, err error) {
	err = s.do(ctx, func(ctx context.Context, token string) error {
		all, err := s.client.GetClientScopes(ctx, token, realm)
		ids = named(all)
		return err
	})
	return ids, err
}

func named(scopes []*gocloak.ClientScope) map[string]string {
	ids := map[string]string{}
	for _, each := range scopes {
		ids[gocloak.PString(each.Name)] = gocloak.PString(each.ID)
	}
	return ids
}

// attached are the operations of one of a client's two sets of scopes.
type attached struct {
	get         func(g *gocloak.GoCloak, ctx context.Context, token, realm, client string) ([]*gocloak.ClientScope, error)
	add, remove func(g *gocloak.GoCloak, ctx context.Context, token, realm, client, scope string) error
}

var attachments = map[string]attached{
	"default": {
		(*gocloak.GoCloak).GetClientsDefaultScopes, (*gocloak.GoCloak).AddDefaultScopeToClient,
		(*gocloak.GoCloak).RemoveDefaultScopeFromClient,
	},
	"optional": {
		(*gocloak.GoCloak).GetClientsOptionalScopes, (*gocloak.GoCloak).AddOptionalScopeToClient,
		(*gocloak.GoCloak).RemoveOptionalScopeFromClient,
	},
}

var otherSet = map[string]string{"default": "optional", "optional": "default"}

// scopesOf is one of a client's two sets of scopes, as a whole.
func scopesOf(which string) kind {
	name := which + "Scopes"
	identify := func(t target) string { return t.text("realmId") + "/" + t.text("clientId") }
	return kind{
		what: "set of " + which + " client scopes", imported: []string{"realmId", "clientId"},
		properties: []property{
			inRealm,
			{name: "clientId", required: true, immutable: true},
			{name: name, field: name, form: set, required: true},
		},
		create: func(ctx context.Context, s *session, t target, _ values) (string, error) {
			return identify(t), attach(ctx, s, t, which, texts(t.in[name]))
		},
		update: func(ctx context.Context, s *session, t target, _ values) error {
			return attach(ctx, s, t, which, texts(t.in[name]))
		},
		read: func(ctx context.Context, s *session, t target) (values, error) {
			ids, err := attachedTo(ctx, s, t, which)
			all := []any{}
			for each := range ids {
				all = append(all, each)
			}
			slices.SortFunc(all, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
			return values{name: all}, err
		},
		remove: func(ctx context.Context, s *session, t target) error {
			now, err := attachedTo(ctx, s, t, which)
			if err != nil {
				return err
			}
			for _, each := range texts(t.in[name]) {
				if id := now[each]; id != "" {
					err = errors.Join(err, detach(ctx, s, t, which, id))
				}
			}
			return err
		},
	}
}

func attachedTo(ctx context.Context, s *session, t target, which string) (ids map[string]string, err error) {
	err = s.do(ctx, func(ctx context.Context, token string) error {
		all, err := attachments[which].get(s.client, ctx, token, t.text("realmId"), t.text("clientId"))
		ids = named(all)
		return err
	})
	return ids, err
}

func detach(ctx context.Context, s *session, t target, which, scope string) error {
	err := s.do(ctx, func(ctx context.Context, token string) error {
		return attachments[which].remove(s.client, ctx, token, t.text("realmId"), t.text("clientId"), scope)
	})
	if gone(err) {
		return nil
	}
	return err
}

// attach makes a set of scopes what is wanted. A scope that is in the other set is refused: Keycloak would leave it
// there without a word.
func attach(ctx context.Context, s *session, t target, which string, wanted []string) error {
	known, err := scopesIn(ctx, s, t.text("realmId"))
	if err != nil {
		return err
	}
	now, err := attachedTo(ctx, s, t, which)
	if err != nil {
		return err
	}
	other, err := attachedTo(ctx, s, t, otherSet[which])
	if err != nil {
		return err
	}
	for _, each := range wanted {
		if known[each] == "" {
			return fmt.Errorf("%sScopes: realm %s has no client scope %q", which, t.text("realmId"), each)
		}
		if other[each] != "" {
			return fmt.Errorf("%sScopes: the client has %q among its %s scopes, which it has to leave first, in an update before this one",
				which, each, otherSet[which])
		}
	}
	for each, id := range now {
		if !slices.Contains(wanted, each) {
			if err := detach(ctx, s, t, which, id); err != nil {
				return err
			}
		}
	}
	for _, each := range wanted {
		if now[each] != "" {
			continue
		}
		if err := s.do(ctx, func(ctx context.Context, token string) error {
			return attachments[which].add(s.client, ctx, token, t.text("realmId"), t.text("clientId"), known[each])
		}); err != nil {
			return err
		}
	}
	return nil
}
