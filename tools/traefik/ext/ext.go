// Package ext stands in for a module that Traefik's own go.mod takes from a directory of its repository, which no module
// zip contains. Builds of Traefik's community edition extend nothing.
package ext

// HTTP extends the dynamic HTTP configuration.
type HTTP struct{}

// Router extends a router.
type Router struct{}
