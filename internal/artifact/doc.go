// Package artifact finds the charts and manifests that the platform installs.
//
// The bill of materials is artifacts/go.mod: each chart or manifest comes out
// of a Go module that is pinned there and verified by artifacts/go.sum, so it
// can be mirrored, audited and upgraded with the tools that Go projects have
// anyway. A chart that no module has comes from a Helm repository, by its exact
// version. A stack can replace one artefact by a local directory, by a chart of
// a Helm repository, or by an OCI reference with a digest.
//
// Whatever the source, the caller gets a verified file tree and its version.
package artifact
