// Package manifest turns charts, YAML and Go values into Kubernetes objects,
// and registers them as plain Pulumi resources.
//
// Every object of the platform takes this road, whoever wrote it. That makes
// a preview complete before there is a cluster, and lets one function see and
// change every object: a [Transform] such as [MirrorImages] or the policies of
// package workload.
//
// [Chart.Render], [ParseYAML], [ParseTree] and [Typed] produce a [Set];
// [Registrar.Register] registers it in the order in which objects need each
// other.
package manifest
