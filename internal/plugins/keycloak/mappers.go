package keycloak

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// mapper is a mapper of claims, of a client or of a client scope.
func mapper(provider string, own ...property) kind {
	of := func(t target) []string {
		return append(append([]string{t.text("realmId")}, owner(t)...), "protocol-mappers", "models")
	}
	imported := []string{"realmId", ofOwner, ownerID, "id"}
	k := kind{what: "protocol mapper", autonamed: true, imported: imported, properties: slices.Concat([]property{
		inRealm,
		{name: "clientId", immutable: true},
		{name: "clientScopeId", immutable: true},
		{name: "name", field: "name", required: true},
		{name: "addToIdToken", field: "config/id.token.claim", form: flag, quoted: true, fallback: true},
		{name: "addToAccessToken", field: "config/access.token.claim", form: flag, quoted: true, fallback: true},
	}, own)}.documents(of, func(t target) []string { return append(of(t), t.id) })
	create, update := k.create, k.update
	complete := func(t target, body values) error {
		if (t.text("clientId") == "") == (t.text("clientScopeId") == "") {
			return fmt.Errorf("protocol mapper %s: want one of clientId and clientScopeId", t.text("name"))
		}
		body["protocol"], body["protocolMapper"] = "openid-connect", provider
		return nil
	}
	k.create = func(ctx context.Context, s *session, t target, body values) (string, error) {
		if err := complete(t, body); err != nil {
			return "", err
		}
		return create(ctx, s, t, body)
	}
	k.update = func(ctx context.Context, s *session, t target, body values) error {
		if err := complete(t, body); err != nil {
			return err
		}
		body["id"] = t.id
		return update(ctx, s, t, body)
	}
	k.existing = func(ctx context.Context, s *session, t target) string { return existingMapper(ctx, s, t, of(t)) }
	return k
}

// existingMapper is the ID by which to import the mapper that has the name already.
func existingMapper(ctx context.Context, s *session, t target, place []string) string {
	var all []values
	if _, err := s.call(ctx, http.MethodGet, place, nil, &all); err != nil {
		return ""
	}
	i := slices.IndexFunc(all, func(each values) bool { return each["name"] == t.text("name") })
	if i < 0 {
		return ""
	}
	sort := "client"
	if t.text("clientId") == "" {
		sort = "client-scope"
	}
	return strings.Join([]string{t.text("realmId"), sort, owner(t)[1], textOf(all[i], "id", "")}, "/")
}

var claimType = property{
	name: "claimValueType", field: "config/jsonType.label", fallback: "String",
	check: oneOf("JSON", "String", "long", "int", "boolean"),
}

func hardcodedClaim() kind {
	return mapper("oidc-hardcoded-claim-mapper",
		property{name: "claimName", field: "config/claim.name", required: true},
		property{name: "claimValue", field: "config/claim.value", required: true},
		claimType,
		property{name: "addToUserinfo", field: "config/userinfo.token.claim", form: flag, quoted: true, fallback: true})
}

func sessionNote() kind {
	return mapper("oidc-usersessionmodel-note-mapper",
		property{name: "claimName", field: "config/claim.name", required: true},
		property{name: "sessionNote", field: "config/user.session.note"},
		claimType)
}

func audience() kind {
	return mapper("oidc-audience-mapper",
		property{name: "includedClientAudience", field: "config/included.client.audience"},
		property{name: "includedCustomAudience", field: "config/included.custom.audience"})
}

// realmRoles has the realm's roles of a user in a claim: those that the client's tokens may carry at all.
func realmRoles() kind {
	return mapper("oidc-usermodel-realm-role-mapper",
		property{name: "claimName", field: "config/claim.name", required: true},
		claimType,
		property{name: "multivalued", field: "config/multivalued", form: flag, quoted: true},
		property{name: "realmRolePrefix", field: "config/usermodel.realmRoleMapping.rolePrefix"},
		property{name: "addToUserinfo", field: "config/userinfo.token.claim", form: flag, quoted: true, fallback: true})
}
