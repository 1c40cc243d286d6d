package keycloak

// Server is the real Keycloak of the package's tests, for those outside of the package.
var Server = server
