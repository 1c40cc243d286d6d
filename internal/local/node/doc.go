// Package node runs the pods of known images as real processes: what a kubelet does, without containers.
//
// The real scheduler places a pod on a simulated node, as any other. When the image of its first container is one that
// a tool of this repository stands for (see images.go), this package takes the pod over: it writes the pod's volumes to
// a directory, gives the process the pod's own service account, environment and arguments, asks its probes, restarts it,
// and reports its status. Services therefore get their endpoints by the real controllers, and RBAC decides for real.
//
// What differs from a kubelet: a process sees the machine's file system, so arguments and variables that begin with a
// mount path are rewritten to where the volume really is; it listens on a free port of 127.0.0.1 instead of an address
// of its own (Endpoint translates); containers of images that are not known are reported as running and nothing more.
package node
