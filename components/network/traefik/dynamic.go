package traefik

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const (
	// configDir has the dynamic configuration in a directory of its own, and the certificates that it names. A kubelet
	// keeps both in one directory, and links to what is in that. Traefik reads directories, but follows no links to them:
	// so it finds the file once, and not a second time by its link.
	configDir    = "/etc/traefik"
	dynamicFile  = "dynamic/traefik.yaml"
	settingsKey  = "traefik.yaml"
	settingsName = "traefik-dynamic"

	platformFile = "platform"
	publicFile   = "public"

	hstsName = "hsts"
	readName = "objects-read"
	pingPath = "/ping"
	// readyPath is that of servers that have read the cluster's objects.
	readyPath = "/ready"
	// metricsPath is where Prometheus looks.
	metricsPath = "/metrics"
)

// dynamic is the part of the configuration that Traefik reads again when it changes.
func (b *builder) dynamic() (*corev1.ConfigMap, error) {
	text, err := yaml.Marshal(map[string]any{
		"http": map[string]any{"routers": routers(), "middlewares": b.middlewares()},
		"tls":  b.tls(),
	})
	if err != nil {
		return nil, fmt.Errorf("dynamic configuration: %w", err)
	}
	return &corev1.ConfigMap{ObjectMeta: meta(settingsName), Data: map[string]string{settingsKey: string(text)}}, nil
}

// routers lead to what is meant for kubelets and Prometheus only.
func routers() map[string]any {
	router := func(path, service string, middlewares ...string) map[string]any {
		r := map[string]any{
			"rule": "Path(`" + path + "`)", "entryPoints": []string{managementPart}, "service": service, "tls": map[string]any{},
		}
		if len(middlewares) > 0 {
			r["middlewares"] = middlewares
		}
		return r
	}
	return map[string]any{
		"live": router(pingPath, "ping@internal"), "ready": router(readyPath, "ping@internal", readName),
		"metrics": router(metricsPath, "prometheus@internal"),
	}
}

func (b *builder) middlewares() map[string]any {
	all := map[string]any{
		// It never does anything, but the route that it belongs to exists only when the service does that it names. The
		// provider of Ingress objects has that service as soon as it has read all of them, even if there are none.
		readName: map[string]any{"errors": map[string]any{
			"status": []string{"599"}, "service": "unavailable-service@kubernetesingressnginx", "query": "/",
		}},
	}
	headers := map[string]any{}
	if h := b.args.HSTS; h.MaxAge > 0 {
		headers["stsSeconds"] = int64(h.MaxAge / time.Second)
		headers["stsIncludeSubdomains"], headers["stsPreload"] = h.IncludeSubdomains, h.Preload
	} else {
		// Servers from before it was switched off refer to it until they are replaced, and would serve nothing without.
		// It takes headers to be one, so it removes the one that nobody is to see.
		headers["customResponseHeaders"] = map[string]any{"Strict-Transport-Security": ""}
	}
	all[hstsName] = map[string]any{"headers": headers}
	return all
}

// tls are the versions and suites for every host, and the certificates that come from files. Hosts that have none of their
// own are served with the public one if it is for their names, and else with the platform's, like clients that name no
// host. The public one is not Traefik's default certificate, since it may come later: without that one Traefik serves
// nobody, while it does without any other.
func (b *builder) tls() map[string]any {
	platform := pair(platformFile)
	certificates := []any{platform}
	if b.servedCertificate() != certificate {
		certificates = append(certificates, pair(publicFile))
	}
	return map[string]any{
		"options": map[string]any{"default": map[string]any{
			"minVersion": "VersionTLS12", "sniStrict": false, "cipherSuites": suites(),
		}},
		"stores":       map[string]any{"default": map[string]any{"defaultCertificate": platform}},
		"certificates": certificates,
	}
}

func pair(file string) map[string]any {
	return map[string]any{"certFile": configDir + "/" + file + ".crt", "keyFile": configDir + "/" + file + ".key"}
}

// suites are those of TLS 1.2 with forward secrecy and authenticated encryption. Those of TLS 1.3 all are, and cannot be
// chosen.
func suites() []string {
	var all []string
	for _, key := range []string{"ECDSA", "RSA"} {
		for _, cipher := range []string{"AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"} {
			all = append(all, "TLS_ECDHE_"+key+"_WITH_"+cipher)
		}
	}
	return all
}

// files are the dynamic configuration and the certificates in one volume, so that a new certificate is a change of the
// directory that Traefik watches. The public certificate may come later than the pod.
func (b *builder) files() corev1.Volume {
	sources := []corev1.VolumeProjection{
		{ConfigMap: &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: settingsName},
			Items:                []corev1.KeyToPath{{Key: settingsKey, Path: dynamicFile}},
		}},
		secretFiles(certificate, platformFile, false),
	}
	if secret := b.servedCertificate(); secret != certificate {
		sources = append(sources, secretFiles(secret, publicFile, true))
	}
	return corev1.Volume{Name: configVolume, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: sources, DefaultMode: new(int32(0o440)),
	}}}
}

func secretFiles(secret, file string, optional bool) corev1.VolumeProjection {
	p := &corev1.SecretProjection{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret},
		Items: []corev1.KeyToPath{
			{Key: corev1.TLSCertKey, Path: file + ".crt"}, {Key: corev1.TLSPrivateKeyKey, Path: file + ".key"},
		},
	}
	if optional {
		p.Optional = new(true)
	}
	return corev1.VolumeProjection{Secret: p}
}
