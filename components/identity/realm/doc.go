// Package realm provides one realm of a Keycloak: the realm itself, what it records, its roles, client scopes and
// clients. In that order, since a client names roles and scopes. It is finished when every client can get tokens.
//
// The realm is for machines in the first place, and what neither they nor the configured clients need is off.
//
// # The realm
//
//   - Nobody registers, resets a password, stays logged in or changes a user name on their own; an e-mail address
//     belongs to one user.
//   - Wrong passwords make a user wait, longer each time, and never for good: a lock-out for ever would let anybody
//     who knows a user name shut that user out.
//   - Passwords have twelve characters and more and are neither the user name nor the e-mail address.
//   - A refresh token works once: a second use, which means that it was copied, ends the session.
//   - Sessions end, offline sessions too.
//   - Keycloak makes the key itself that the signature algorithm needs.
//
// # What it records
//
// Logins of users, failures, and changes that users make, for a time. Not that a client or a user was given a token:
// that is the everyday work of an identity provider for machines, would be a row in the database for each token, and is
// counted by the metrics anyway. Failures also appear in the log. Changes by administrators are recorded without what
// they changed, since that may be a secret.
//
// # Clients
//
// A client has exactly the flows that it is configured with: client credentials, the authorization code flow, or both.
// The password grant, the implicit flow, device codes, CIBA and token exchange are off. The authorization code flow
// demands PKCE with S256, of confidential clients as well. Tokens by client credentials come without a refresh token
// and without a session. Full scope is off: only roles given to the client, or declared to matter to it, appear in its
// tokens.
//
// Default scopes, besides those configured, are those that the client's flows need, so that tokens stay small:
//
//   - basic (claim sub) and roles (realm_access, resource_access, which the gateway's plugin jwt-keycloak compares:
//     https://github.com/telekom/kong-plugin-jwt-keycloak#parameters) for all;
//   - service_account for client credentials, since Keycloak attaches it again with every change of such a client;
//   - acr, email, profile and web-origins (allowed-origins, which CORS needs) for users.
//
// Of a user's roles a client sees those that matter to it (UserRoles), in realm_access of access tokens, and, for clients
// that read ID tokens and the user info, in a claim of their choice (RolesClaim).
//
// The claims iss and azp are in every token. Client credentials also get a claim clientId, which the gateway
// (https://github.com/telekom/gateway-jumper) and the servers of the Control Plane read, and with which the Control
// Plane equips the clients that it makes itself; Keycloak 26 alone has only client_id.
//
// Of the optional scopes that Keycloak gives to a new client none is left, unless configured: above all not
// offline_access, with which a client would get tokens that outlive the session.
package realm
