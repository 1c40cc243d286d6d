// The charts and manifests that the platform installs, one require line each.
//
// A module's zip holds the project's whole repository, charts included; only
// its hash in go.sum is needed here, not its dependencies. So there is no
// code in this module, and `go mod tidy` must not be run: it would remove
// every line. To upgrade or to add one, in this directory:
//
//	go mod edit -require=github.com/cert-manager/cert-manager@v1.21.3
//	go mod download github.com/cert-manager/cert-manager@v1.21.3
//
// then remove the old version's lines from go.sum, and read the preview.
module github.com/telekom/controlplane-infrastructure/artifacts

go 1.26.0

require (
	// Chart: deploy/charts/cert-manager.
	github.com/cert-manager/cert-manager v1.21.2
	// Chart: deploy/charts/trust-manager.
	github.com/cert-manager/trust-manager v0.25.0
	// Manifests: releases/cnpg-<version>.yaml.
	github.com/cloudnative-pg/cloudnative-pg v1.30.0
	// Manifests: manifest.yaml.
	github.com/cloudnative-pg/plugin-barman-cloud v0.15.0
	// CRDs: example/prometheus-operator-crd.
	github.com/prometheus-operator/prometheus-operator v0.93.1
	// Charts: manifests/charts/{base,istio-control/istio-discovery,istio-cni,ztunnel}.
	istio.io/istio v0.0.0-20260827124520-eed52ebb66ad
	// CRDs: config/crd/standard.
	sigs.k8s.io/gateway-api v1.6.3
	// Chart: charts/metrics-server.
	sigs.k8s.io/metrics-server v0.9.0
)
