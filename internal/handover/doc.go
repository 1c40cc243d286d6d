// Package handover hands a finished platform over to the Control Plane: from the outputs of a stack alone it writes a
// kustomize overlay on the Control Plane's own manifests, a Zone, and what a pipeline needs to know; and it looks whether
// a cluster has everything that the Control Plane wants before its manifests are applied.
package handover
