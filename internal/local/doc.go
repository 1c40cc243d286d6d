// Package local runs a Kubernetes control plane on this machine, without root, containers or downloads at run time:
// etcd, kube-apiserver, kube-controller-manager and kube-scheduler as they run in a cluster, with RBAC, Pod Security
// admission and service accounts, and KWOK, which plays the kubelets of nine nodes in three zones.
//
// Order of a start: certificates and kubeconfigs, etcd together with the API server, then everything that works
// through the API: controllers, scheduler, KWOK, and the helpers that run in this process (real-process pods, the
// proxy that webhooks are called through, the volume provisioner, load balancer addresses). It is ready when all
// nodes are Ready and schedulable and the controllers have made the default service account.
//
// Everything is on the loopback interface and in one directory, so that several control planes run side by side
// and a stop leaves nothing behind. [Run] keeps one inside the calling process, which is what tests want (see package
// localtest); [Start], [Stop] and [Status] handle one in the background, kept by a supervisor process.
//
// The API server and etcd are started here and not by controller-runtime's envtest, since envtest offers etcd
// to every user of the machine without authentication, issues certificates for one week, keeps port files outside the
// directory, does not tell when a process ends, and leaves its processes behind when its own one is killed.
package local
