// Package exporters provides where the metrics of the cluster itself come from: kube-state-metrics, the node exporter,
// and the declarations by which Prometheus reads the kubelets, the API server, CoreDNS and etcd.
//
// What it declares is known by the label job: kube-state-metrics, node-exporter, kubelet, apiserver, coredns, etcd. The
// label instance of what runs on each node is the node's name, which the label node has as well.
//
// The node exporter reads all of its node, so nobody but Prometheus may ask it: it wants a client certificate that has
// been issued for that. Kubelets and the API server take the token of Prometheus' service account; the scrape class that
// [ScrapeClass] describes has it, and has to be one of the custom resource Prometheus.
package exporters
