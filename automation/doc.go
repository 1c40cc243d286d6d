// Package automation runs a stack: preview, up, refresh, destroy and outputs, as Go functions over the Pulumi engine.
// It alone decides where a run goes (an existing cluster, or the local control plane) and with which engine plugins
// (the published ones, or those built into this module); the program in package stacks cannot tell.
package automation
