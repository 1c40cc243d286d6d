// Package keycloak is the engine plugin for what is inside of a Keycloak, served from the calling process: realms,
// clients, client scopes, roles and mappers with the type names, inputs and outputs of the published pulumi-keycloak
// plugin.
//
// It talks to Keycloak's admin REST API, at the address that the provider resource names, or to an imitation of it in
// memory: both are asked in the same way, so what holds for one holds for the other. A preview of what does not exist
// yet asks nobody.
//
// What a type has is a table of properties (kinds.go), each with its name for programs, its place in Keycloak's
// representation, and its default. A property that is not in a table is an error, never silently dropped. State is
// what the server says, in the words of the program where both mean the same: a duration as it was written, a set in
// the order that it was given.
package keycloak
