package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

const (
	components     = "controlplane:artifacts, controlplane:availability, controlplane:aws, controlplane:certTrust, controlplane:cluster, controlplane:identity, controlplane:monitoring, controlplane:network, controlplane:resources, controlplane:storage"
	clusterSection = "context, deleteUnreachable, eks, identifier, kind, kubeconfig, kubeconfigContent, metricsServer, oidcProviderArn"
	duration       = "must be a positive duration such as 720h or 30m"
	quantity       = "must be an amount above zero such as 500m or 1Gi"
	replicas       = "must be a whole number from 1 to 5"
	ociReference   = "must be an OCI reference with a digest, oci://host/repository@sha256:<64 hexadecimal digits>"
	mirror         = "must be host, optional port and optional path without a scheme, such as registry.example.com:5000/mirror"
	certificate    = "must be one or more certificates in PEM (-----BEGIN CERTIFICATE-----)"
	privateKey     = "must be an unencrypted private key in PEM (-----BEGIN PRIVATE KEY-----)"
	name           = "must be a Kubernetes name of lower-case letters, digits, - and ., such as my-name"
)

// badConfiguration is one with what is said about it, all of it.
type badConfiguration struct {
	name, yaml string
	want       []string
}

var bad = []badConfiguration{
	// Keys.
	{"unknown component", "controlplane:observability: {}", []string{
		"controlplane:observability: is not a key; allowed are " + components}},
	{"misspelt component", "controlplane:certtrust: {}", []string{
		`controlplane:certtrust: is not a key; allowed are ` + components + `; did you mean "controlplane:certTrust"?`}},
	{"component in snake case", "controlplane:cert_trust: {}", []string{
		`controlplane:cert_trust: is not a key; allowed are ` + components + `; did you mean "controlplane:certTrust"?`}},
	{"misspelt component without namespace", "clutser: {}", []string{
		`clutser: is not a key; allowed are ` + components + `; did you mean "controlplane:cluster"?`}},
	{"misspelt namespace", "controlplan:cluster: {}", []string{
		`controlplan:cluster: is not a key; allowed are ` + components + `; did you mean "controlplane:cluster"?`}},
	{"key at the wrong level", "controlplane:imageMirror: registry.example.com", []string{
		`controlplane:imageMirror: is not a key; allowed are ` + components + `; did you mean "controlplane:artifacts.imageMirror"?`}},
	{"key of several places at the wrong level", "controlplane:certManager: {}", []string{
		`controlplane:certManager: is not a key; allowed are ` + components + `; did you mean "controlplane:certTrust.certManager"?`}},
	{"key that is ambiguous elsewhere", "cluster: {replicas: 2, requests: {}}", []string{
		"controlplane:cluster.replicas: is not a key; allowed are " + clusterSection + `; did you mean "controlplane:identity.replicas"?`,
		"controlplane:cluster.requests: is not a key; allowed are " + clusterSection}},
	{"key in the wrong component", "cluster: {platformCA: {}}", []string{
		"controlplane:cluster.platformCA: is not a key; allowed are " + clusterSection + `; did you mean "controlplane:certTrust.platformCA"?`}},
	{"key set twice", "controlplane:cluster: {}\ncluster: {}", []string{
		"cluster: is set twice; it is the same key as controlplane:cluster"}},
	{"misspelt nested key", "certTrust: {certManger: {}}", []string{
		`controlplane:certTrust.certManger: is not a key; allowed are acme, bundle, certManager, controlPlaneIssuer, platformCA, trustManager; did you mean "certManager"?`}},
	{"misspelt key deep down", "certTrust: {platformCA: {selfSigned: {privateKey: {algoritm: RSA}}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.privateKey.algoritm: is not a key; allowed are algorithm, rotationPolicy, size; did you mean "algorithm"?`}},
	{"unknown key without resemblance", "monitoring: {datadog: true}", []string{
		"controlplane:monitoring.datadog: is not a key; allowed are alertmanager, alerts, customResourceDefinitions, exporters, grafana, operator, prometheus, stack"}},
	{"unknown resource class", "resources: {worker: {}}", []string{
		"controlplane:resources.worker: is not a key; allowed are apiServer, gateway, identityProvider, operator"}},
	{"unknown override", "artifacts: {overrides: {cert-manager: {directory: x}}}", []string{
		`controlplane:artifacts.overrides.cert-manager: is not a key; allowed are barmanCloud, certManager, cloudNativePG, gatewayAPI, istioBase, istioCNI, istiod, linkerdCNI, linkerdCRDs, linkerdControlPlane, metricsServer, prometheusOperator, trustManager, ztunnel; did you mean "certManager"?`}},

	// Types.
	{"component of the wrong type", "cluster: kind", []string{
		"controlplane:cluster: a string must be a map with the keys " + clusterSection}},
	{"list for a map", "certTrust: {bundle: [a]}", []string{
		"controlplane:certTrust.bundle: a list must be a map with the keys additionalCertificates, key, name, publicRoots"}},
	{"map for a string", "artifacts: {imageMirror: {host: a}}", []string{
		"controlplane:artifacts.imageMirror: a map " + mirror}},
	{"string for a list", "certTrust: {acme: $ACME53, certManager: {dns01RecursiveNameservers: '1.1.1.1:53'}}", []string{
		`controlplane:certTrust.certManager.dns01RecursiveNameservers: "1.1.1.1:53" must be a list, not empty, without repetition, each item host:port, such as 1.1.1.1:53`}},
	{"word for a boolean", "cluster: {deleteUnreachable: 'Yes'}", []string{
		`controlplane:cluster.deleteUnreachable: "Yes" must be true or false; did you mean "true"?`}},
	{"quoted boolean", "certTrust: {bundle: {publicRoots: 'false'}}", []string{
		`controlplane:certTrust.bundle.publicRoots: "false" must be true or false; did you mean "false"?`}},
	{"fraction for a count", "certTrust: {certManager: {webhookReplicas: 1.5}}", []string{
		"controlplane:certTrust.certManager.webhookReplicas: 1.5 " + replicas}},
	{"number for a duration", "certTrust: {platformCA: {selfSigned: {duration: 87600}}}", []string{
		"controlplane:certTrust.platformCA.selfSigned.duration: 87600 " + duration}},
	{"large number for a string", "cluster: {context: 1234567890}", []string{
		"controlplane:cluster.context: 1234567890 must be a string that is not empty"}},
	{"boolean for a name", "certTrust: {bundle: {name: true}}", []string{
		"controlplane:certTrust.bundle.name: true " + name}},

	// Ranges and choices.
	{"misspelt availability", "availability: zonl", []string{
		`controlplane:availability: "zonl" must be one of single, zonal; did you mean "zonal"?`}},
	{"unknown availability", "availability: regional", []string{
		`controlplane:availability: "regional" must be one of single, zonal`}},
	{"availability in capitals", "availability: Single", []string{
		`controlplane:availability: "Single" must be one of single, zonal; did you mean "single"?`}},
	{"unknown kind of cluster", "cluster: {kind: EKS}", []string{
		`controlplane:cluster.kind: "EKS" must be one of existing, eks; did you mean "eks"?`}},
	{"unknown CRD policy", "monitoring: {customResourceDefinitions: exsting}", []string{
		`controlplane:monitoring.customResourceDefinitions: "exsting" must be one of install, existing; did you mean "existing"?`}},
	{"unknown source of the CA", "certTrust: {platformCA: {source: self-signed}}", []string{
		`controlplane:certTrust.platformCA.source: "self-signed" must be one of selfSigned, existing; did you mean "selfSigned"?`}},
	{"unknown algorithm", "certTrust: {platformCA: {selfSigned: {privateKey: {algorithm: ecdsa}}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.privateKey.algorithm: "ecdsa" must be one of ECDSA, RSA, Ed25519; did you mean "ECDSA"?`}},
	{"unknown rotation policy", "certTrust: {platformCA: {selfSigned: {privateKey: {rotationPolicy: always}}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.privateKey.rotationPolicy: "always" must be one of Never, Always; did you mean "Always"?`}},
	{"key size of no algorithm", "certTrust: {platformCA: {selfSigned: {privateKey: {size: 1024}}}}", []string{
		"controlplane:certTrust.platformCA.selfSigned.privateKey.size: 1024 must be one of 256, 384, 521, 2048, 3072, 4096"}},
	{"no replicas", "certTrust: {certManager: {controllerReplicas: 0}}", []string{
		"controlplane:certTrust.certManager.controllerReplicas: 0 " + replicas}},
	{"too many replicas", "certTrust: {trustManager: {replicas: 9}}", []string{
		"controlplane:certTrust.trustManager.replicas: 9 " + replicas}},
	{"empty common name", "certTrust: {platformCA: {selfSigned: {commonName: ''}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.commonName: "" must be a string of 1 to 64 characters`}},
	{"common name too long", "certTrust: {platformCA: {selfSigned: {commonName: " + strings.Repeat("x", 65) + "}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.commonName: "` + strings.Repeat("x", 60) + `…" must be a string of 1 to 64 characters`}},
	{"empty path", "cluster: {kubeconfig: ''}", []string{
		`controlplane:cluster.kubeconfig: "" must be a string that is not empty`}},
	{"empty list", "certTrust: {acme: $ACME53, certManager: {dns01RecursiveNameservers: []}}", []string{
		"controlplane:certTrust.certManager.dns01RecursiveNameservers: must be a list, not empty, without repetition, each item host:port, such as 1.1.1.1:53"}},
	{"repetition in a list", "certTrust: {acme: $ACME53, certManager: {dns01RecursiveNameservers: ['1.1.1.1:53', '1.1.1.1:53']}}", []string{
		"controlplane:certTrust.certManager.dns01RecursiveNameservers: must be a list, not empty, without repetition, each item host:port, such as 1.1.1.1:53"}},

	// Formats.
	{"duration in days", "certTrust: {platformCA: {selfSigned: {duration: 90d, renewBefore: 24h}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.duration: "90d" ` + duration + `; did you mean "2160h"?`}},
	{"negative duration", "certTrust: {platformCA: {selfSigned: {renewBefore: -1h}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.renewBefore: "-1h" ` + duration}},
	{"quantity with an unknown unit", "resources: {gateway: {limits: {memory: 2GB}}}", []string{
		`controlplane:resources.gateway.limits.memory: "2GB" ` + quantity}},
	{"quantity of zero", "resources: {operator: {requests: {cpu: '0'}}}", []string{
		`controlplane:resources.operator.requests.cpu: "0" ` + quantity}},
	{"negative number as quantity", "resources: {operator: {requests: {cpu: -1}}}", []string{
		"controlplane:resources.operator.requests.cpu: -1 " + quantity}},
	{"identifier that is no label", "cluster: {identifier: my cluster}", []string{
		`controlplane:cluster.identifier: "my cluster" must be 1 to 63 letters, digits, -, _ and ., with a letter or digit first and last`}},
	{"bundle name in capitals", "certTrust: {bundle: {name: Platform_Trust}}", []string{
		`controlplane:certTrust.bundle.name: "Platform_Trust" ` + name}},
	{"bundle key with a slash", "certTrust: {bundle: {key: certs/ca.crt}}", []string{
		`controlplane:certTrust.bundle.key: "certs/ca.crt" must be a key of a ConfigMap: letters, digits, -, _ and ., such as ca.crt`}},
	{"mirror with a scheme", "artifacts: {imageMirror: 'https://registry.example.com'}", []string{
		`controlplane:artifacts.imageMirror: "https://registry.example.com" ` + mirror}},
	{"mirror without a host", "artifacts: {imageMirror: mirror}", []string{
		`controlplane:artifacts.imageMirror: "mirror" ` + mirror}},
	{"mirror with a slash at the end", "artifacts: {imageMirror: registry.example.com/}", []string{
		`controlplane:artifacts.imageMirror: "registry.example.com/" ` + mirror}},
	{"mirror with a port out of range", "artifacts: {imageMirror: 'registry.example.com:70000'}", []string{
		`controlplane:artifacts.imageMirror: "registry.example.com:70000" ` + mirror}},
	{"OCI reference by tag", "artifacts: {overrides: {certManager: {oci: 'oci://registry.example.com/cert-manager:v1.21.2'}}}", []string{
		`controlplane:artifacts.overrides.certManager.oci: "oci://registry.example.com/cert-manager:v1.21.2" ` + ociReference}},
	{"OCI reference without a scheme", "artifacts: {overrides: {certManager: {oci: 'registry.example.com/a@sha256:" + strings.Repeat("a", 64) + "'}}}", []string{
		`controlplane:artifacts.overrides.certManager.oci: "registry.example.com/a@sha256:` + strings.Repeat("a", 29) + `…" ` + ociReference}},
	{"range of versions", "artifacts: {overrides: {certManager: {repository: 'https://charts.example.com', chart: a, version: ^1.2}}}", []string{
		`controlplane:artifacts.overrides.certManager.version: "^1.2" must be an exact version such as 1.2.3 or v1.2.3`}},
	{"repository of another scheme", "artifacts: {overrides: {trustManager: {repository: 'ftp://example.com', chart: a, version: 1.2.3}}}", []string{
		`controlplane:artifacts.overrides.trustManager.repository: "ftp://example.com" must be a URL that starts with https:// or http://`}},
	{"name server without a port", "certTrust: {acme: $ACME53, certManager: {dns01RecursiveNameservers: [1.1.1.1]}}", []string{
		`controlplane:certTrust.certManager.dns01RecursiveNameservers[0]: "1.1.1.1" must be host:port, such as 1.1.1.1:53`}},
	{"ACME server without TLS", "certTrust: {acme: {server: 'http://acme.example.com', email: a@example.com, http01: {ingressClassName: traefik}}}", []string{
		`controlplane:certTrust.acme.server: "http://acme.example.com" must be a URL that starts with https://`}},
	{"address that is none", "certTrust: {acme: {server: 'https://acme.example.com', email: platform, http01: {ingressClassName: traefik}}}", []string{
		`controlplane:certTrust.acme.email: "platform" must be an e-mail address such as platform@example.com`}},
	{"region that is none", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, route53: {region: Frankfurt, hostedZoneID: Z1}}}", []string{
		`controlplane:certTrust.acme.route53.region: "Frankfurt" must be an AWS region such as eu-central-1`}},
	{"zone by its name", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, route53: {region: eu-central-1, hostedZoneID: example.com}}}", []string{
		`controlplane:certTrust.acme.route53.hostedZoneID: "example.com" must be the ID of a hosted zone, such as Z0123456789ABCDEFGHIJ`}},
	{"role by its name", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, route53: {region: eu-central-1, hostedZoneID: Z1, role: dns}}}", []string{
		`controlplane:certTrust.acme.route53.role: "dns" must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/name`}},
	{"certificate that is none", "certTrust: {platformCA: {source: existing, existing: {certificate: ca.crt, privateKey: $CA_KEY}}}", []string{
		`controlplane:certTrust.platformCA.existing.certificate: "ca.crt" ` + certificate}},
	{"key instead of the certificate", "certTrust: {controlPlaneIssuer: {certificate: $CA_KEY, privateKey: $CA_KEY}}", []string{
		`controlplane:certTrust.controlPlaneIssuer.certificate: "-----BEGIN PRIVATE KEY-----\n` + "…"}},
	{"certificate instead of the key", "certTrust: {platformCA: {source: existing, existing: {certificate: $CA, privateKey: $CA}}}", []string{
		"controlplane:certTrust.platformCA.existing.privateKey: [secret] " + privateKey}},
	{"key with a passphrase", "certTrust: {platformCA: {source: existing, existing: {certificate: $CA, privateKey: $PASSPHRASE_KEY}}}", []string{
		"controlplane:certTrust.platformCA.existing.privateKey: [secret] " + privateKey}},

	// Missing values.
	{"ACME without server and address", "certTrust: {acme: {http01: {ingressClassName: traefik}}}", []string{
		"controlplane:certTrust.acme.email: is missing; must be an e-mail address such as platform@example.com",
		"controlplane:certTrust.acme.server: is missing; must be a URL that starts with https://"}},
	{"Route 53 without a zone", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, route53: {region: eu-central-1}}}", []string{
		"controlplane:certTrust.acme.route53.hostedZoneID: is missing; must be the ID of a hosted zone, such as Z0123456789ABCDEFGHIJ"}},

	// Contradictions.
	{"two kubeconfigs", "cluster: {kubeconfig: a, kubeconfigContent: b}", []string{
		`controlplane:cluster.kubeconfig: "a" contradicts kubeconfigContent; only one of them is allowed`}},
	{"renewal not before the end", "certTrust: {platformCA: {selfSigned: {duration: 720h, renewBefore: 720h}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.renewBefore: "720h" must be shorter than duration, which is "720h"`}},
	{"duration below the default renewal", "certTrust: {platformCA: {selfSigned: {duration: 2160h}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.renewBefore: "8760h" must be shorter than duration, which is "2160h"`}},
	{"duration too short to renew", "certTrust: {platformCA: {selfSigned: {duration: 30m, renewBefore: 1m}}}", []string{
		`controlplane:certTrust.platformCA.selfSigned.duration: "30m" must be at least 1h`,
		`controlplane:certTrust.platformCA.selfSigned.renewBefore: "1m" must be at least 5m`}},
	{"RSA key of a curve's size", "certTrust: {platformCA: {selfSigned: {privateKey: {algorithm: RSA, size: 256}}}}", []string{
		"controlplane:certTrust.platformCA.selfSigned.privateKey.size: 256 must be one of 2048, 3072, 4096 with algorithm RSA"}},
	{"ECDSA key of an RSA size", "certTrust: {platformCA: {selfSigned: {privateKey: {size: 2048}}}}", []string{
		"controlplane:certTrust.platformCA.selfSigned.privateKey.size: 2048 must be one of 256, 384, 521 with algorithm ECDSA"}},
	{"Ed25519 key with a size", "certTrust: {platformCA: {selfSigned: {privateKey: {algorithm: Ed25519, size: 256}}}}", []string{
		"controlplane:certTrust.platformCA.selfSigned.privateKey.size: 256 is not allowed with algorithm Ed25519, whose keys have one size"}},
	{"existing CA without any", "certTrust: {platformCA: {source: existing}}", []string{
		"controlplane:certTrust.platformCA.existing: is missing; source existing needs certificate and privateKey, or secretName"}},
	{"existing CA that is empty", "certTrust: {platformCA: {source: existing, existing: {}}}", []string{
		"controlplane:certTrust.platformCA.existing.certificate: is missing; must be the certificate of a CA in PEM, or secretName instead of both",
		"controlplane:certTrust.platformCA.existing.privateKey: is missing; must be the private key of the certificate in PEM, or secretName instead of both"}},
	{"existing CA with a misspelt key", "certTrust: {platformCA: {source: existing, existing: {secretname: my-ca}}}", []string{
		`controlplane:certTrust.platformCA.existing.secretname: is not a key; allowed are certificate, privateKey, secretName; did you mean "secretName"?`}},
	{"certificate and Secret", "certTrust: {platformCA: {source: existing, existing: {certificate: $CA, privateKey: $CA_KEY, secretName: my-ca}}}", []string{
		`controlplane:certTrust.platformCA.existing.secretName: "my-ca" contradicts certificate and privateKey; must be either the Secret or the pair`}},
	{"self-signed block with an existing CA", "certTrust: {platformCA: {source: existing, selfSigned: {duration: 8760h}, existing: {secretName: my-ca}}}", []string{
		"controlplane:certTrust.platformCA.selfSigned: is only allowed with source selfSigned; source is existing"}},
	{"existing CA with the default source", "certTrust: {platformCA: {existing: {secretName: my-ca}}}", []string{
		"controlplane:certTrust.platformCA.existing: is only allowed with source existing; source is selfSigned"}},
	{"CA that is a leaf", "certTrust: {platformCA: {source: existing, existing: {certificate: $LEAF, privateKey: $LEAF_KEY}}}", []string{
		`controlplane:certTrust.platformCA.existing.certificate: "CN=leaf" is not the certificate of a CA; must have the basic constraint CA:TRUE`}},
	{"CA that may not sign", "certTrust: {platformCA: {source: existing, existing: {certificate: $NOSIGN, privateKey: $NOSIGN_KEY}}}", []string{
		`controlplane:certTrust.platformCA.existing.certificate: "CN=nosign" may not sign certificates; its key usage must include keyCertSign`}},
	{"expired CA", "certTrust: {platformCA: {source: existing, existing: {certificate: $EXPIRED, privateKey: $EXPIRED_KEY}}}", []string{
		`controlplane:certTrust.platformCA.existing.certificate: "CN=expired" expired on …; must be valid`}},
	{"CA of the future", "certTrust: {controlPlaneIssuer: {certificate: $FUTURE, privateKey: $FUTURE_KEY}}", []string{
		`controlplane:certTrust.controlPlaneIssuer.certificate: "CN=future" is not valid before …; must be valid`}},
	{"key of another CA", "certTrust: {platformCA: {source: existing, existing: {certificate: $CA, privateKey: $OTHER_KEY}}}", []string{
		`controlplane:certTrust.platformCA.existing.privateKey: does not belong to the certificate; must be the private key of "CN=ca"`}},
	{"certificate without its key", "certTrust: {platformCA: {source: existing, existing: {certificate: $CA}}}", []string{
		"controlplane:certTrust.platformCA.existing.privateKey: is missing; must be the private key of the certificate in PEM, or secretName instead of both"}},
	{"issuer from two sources", "certTrust: {controlPlaneIssuer: {fromPlatformCA: true, certificate: $CA, privateKey: $CA_KEY}}", []string{
		"controlplane:certTrust.controlPlaneIssuer.fromPlatformCA: true contradicts certificate and privateKey; must be either the platform CA or the pair"}},
	{"issuer from no source", "certTrust: {controlPlaneIssuer: {}}", []string{
		"controlplane:certTrust.controlPlaneIssuer.certificate: is missing; must be the certificate of a CA in PEM, or fromPlatformCA: true instead of both",
		"controlplane:certTrust.controlPlaneIssuer.privateKey: is missing; must be the private key of the certificate in PEM, or fromPlatformCA: true instead of both"}},
	{"bundle of the Control Plane", "certTrust: {bundle: {name: controlplane-trust-bundle}}", []string{
		`controlplane:certTrust.bundle.name: "controlplane-trust-bundle" belongs to the Control Plane, which creates it itself; must be another name`}},
	{"bundle of Kubernetes", "certTrust: {bundle: {name: kube-root-ca.crt}}", []string{
		`controlplane:certTrust.bundle.name: "kube-root-ca.crt" belongs to Kubernetes, which creates it itself; must be another name`}},
	{"both ACME challenges", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, http01: {ingressClassName: traefik}, route53: {region: eu-central-1, hostedZoneID: Z1}}}", []string{
		"controlplane:certTrust.acme: has http01 and route53; must have exactly one of them"}},
	{"no ACME challenge", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com}}", []string{
		"controlplane:certTrust.acme: has no way to prove the ownership of a name; must have exactly one of http01, route53"}},
	{"misspelt ACME challenge", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, htpp01: {ingressClassName: traefik}}}", []string{
		`controlplane:certTrust.acme.htpp01: is not a key; allowed are caBundle, email, http01, route53, server; did you mean "http01"?`}},
	{"expired CA of the ACME server", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, caBundle: $EXPIRED, http01: {ingressClassName: traefik}}}", []string{
		`controlplane:certTrust.acme.caBundle: "CN=expired" expired on …; must be valid`}},
	{"name servers without DNS-01", "certTrust: {certManager: {dns01RecursiveNameservers: ['1.1.1.1:53']}}", []string{
		"controlplane:certTrust.certManager.dns01RecursiveNameservers: has no effect; is only allowed with controlplane:certTrust.acme.route53"}},
	{"single replicas over zones", "availability: zonal\ncertTrust: {certManager: {webhookReplicas: 1}, trustManager: {replicas: 1}}", []string{
		"controlplane:certTrust.certManager.webhookReplicas: 1 must be from 2 to 5 with controlplane:availability zonal",
		"controlplane:certTrust.trustManager.replicas: 1 must be from 2 to 5 with controlplane:availability zonal"}},
	{"request above its limit", "resources: {operator: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}}", []string{
		`controlplane:resources.operator.requests.memory: "1Gi" must be at most the limit, which is "512Mi"`}},
	{"request above the default limit", "resources: {operator: {requests: {cpu: 2}}}", []string{
		`controlplane:resources.operator.requests.cpu: "2" must be at most the limit, which is "500m"`}},
	{"limit below the default request", "resources: {gateway: {limits: {cpu: 100m}}}", []string{
		`controlplane:resources.gateway.requests.cpu: "500m" must be at most the limit, which is "100m"`}},
	{"override without a source", "artifacts: {overrides: {certManager: {}}}", []string{
		"controlplane:artifacts.overrides.certManager: names no source; must have exactly one of directory, repository, oci"}},
	{"override with two sources", "artifacts: {overrides: {certManager: {directory: a, repository: 'https://charts.example.com', chart: a, version: 1.2.3}}}", []string{
		"controlplane:artifacts.overrides.certManager: has directory and repository; must have exactly one of directory, repository, oci"}},
	{"repository without chart and version", "artifacts: {overrides: {trustManager: {repository: 'https://charts.example.com'}}}", []string{
		"controlplane:artifacts.overrides.trustManager.chart: is missing; a Helm repository needs chart and version",
		"controlplane:artifacts.overrides.trustManager.version: is missing; a Helm repository needs chart and version"}},
	{"version of a directory", "artifacts: {overrides: {trustManager: {directory: a, version: 1.2.3}}}", []string{
		`controlplane:artifacts.overrides.trustManager.version: "1.2.3" is only allowed with repository, not with directory`}},
	{"override of what is not installed", "monitoring: {customResourceDefinitions: existing}\nartifacts: {overrides: {prometheusOperator: {directory: a}}}", []string{
		"controlplane:artifacts.overrides.prometheusOperator: has no effect; controlplane:monitoring.customResourceDefinitions is existing, so that nothing is installed from it"}},

	// Everything at once, and no consequences of what is reported already.
	{"mistakes in several components", "availability: duo\ncluster: {kubeconfig: 1}\ncertTrust: {bundle: {nmae: a}, acme: {email: a@example.com}}", []string{
		`controlplane:availability: "duo" must be one of single, zonal`,
		"controlplane:certTrust.acme: has no way to prove the ownership of a name; must have exactly one of http01, route53",
		"controlplane:certTrust.acme.server: is missing; must be a URL that starts with https://",
		`controlplane:certTrust.bundle.nmae: is not a key; allowed are additionalCertificates, key, name, publicRoots; did you mean "name"?`,
		"controlplane:cluster.kubeconfig: 1 must be a string that is not empty"}},
	{"request under a limit that is wrong", "resources: {operator: {requests: {cpu: 2}, limits: {cpu: lots}}}", []string{
		`controlplane:resources.operator.limits.cpu: "lots" ` + quantity}},
}

var everythingBad = slices.Concat(bad, badStorage, badIdentity, badRealms, badIngress, badPolicies, badMesh,
	badMonitoring, badAlertmanager, badGrafana, badCluster, badNodes, badManaged)

func TestBadConfigurations(t *testing.T) {
	assert.GreaterOrEqual(t, len(bad), 60)
	for _, test := range everythingBad {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, strings.ReplaceAll(test.yaml, "$ACME53",
				"{server: 'https://acme.example.com', email: a@example.com, route53: {region: eu-central-1, hostedZoneID: Z1}}"))
			assert.Nil(t, cfg)
			var problems config.Errors
			require.ErrorAs(t, err, &problems)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(test.want), "%s", err)
			for i, want := range test.want {
				assertLine(t, want, lines[i])
			}
		})
	}
}

// assertLine compares a message; what stands for … in the expected one depends
// on the day or on a key.
func assertLine(t *testing.T, want, got string) {
	t.Helper()
	before, after, open := strings.Cut(want, "…")
	if !open || strings.Contains(got, "…") && got == want {
		assert.Equal(t, want, got)
		return
	}
	assert.True(t, strings.HasPrefix(got, before) && strings.HasSuffix(got, after), "want %s\ngot  %s", want, got)
}
