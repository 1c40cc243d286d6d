// Package gatewayapi installs the resource definitions of the Gateway API's standard channel, and the admission policy
// that keeps definitions of the experimental channel, or of older releases, from taking their place. Whoever serves
// gateways, such as an ingress controller or a mesh, finds them there.
package gatewayapi
