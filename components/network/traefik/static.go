package traefik

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// slowest is how long a client may take to send a request, with all of its body. It is also what an idle connection
	// costs at most, so it is not generous.
	slowest = 60 * time.Second
	// idle is how long a connection is kept for another request.
	idle = 180 * time.Second

	// acceptSeconds is how long a server that ends goes on to accept requests, while it says that it is ending, and
	// finishSeconds how long it then gives those under way.
	acceptSeconds, finishSeconds = 5, 30

	// connectSeconds is how long a backend may take to accept a connection. What it may take to answer is what ingress-nginx
	// allows, 60 seconds, and an Ingress can say otherwise about both.
	connectSeconds = 5

	// durations are the bounds, in seconds, of what is counted of requests. Each is a series for every service, method and
	// status. Traefik's own, 0.1 to 5, are too far apart to tell how fast a token or a page is.
	durations = "0.005,0.025,0.1,0.25,0.5,1,2,5,10"

	// largestHeader is more than what Keycloak's tokens and cookies need.
	largestHeader = 64 << 10
)

// arguments are Traefik's static configuration. The API and the dashboard are off as long as nothing switches them on.
func (b *builder) arguments() []string {
	args := []string{
		"--global.checkNewVersion=false",
		"--global.sendAnonymousUsage=false",
		"--log.level=INFO",
		"--log.format=json",
		// No header but the client's program, and no query: these are where tokens and codes are.
		"--accessLog=true",
		"--accessLog.format=json",
		"--accessLog.fields.headers.defaultMode=drop",
		"--accessLog.fields.headers.names.User-Agent=keep",
		"--accessLog.fields.queryParameters.defaultMode=drop",
		// The routes to both are in the dynamic configuration, since they want TLS.
		"--ping=true",
		"--ping.manualRouting=true",
		"--metrics.prometheus=true",
		"--metrics.prometheus.manualRouting=true",
		"--metrics.prometheus.addRoutersLabels=true",
		"--metrics.prometheus.buckets=" + durations,
		// A directory, not the file: a kubelet replaces what is in it, and only changes of the directory tell of that.
		"--providers.file.directory=" + configDir,
		"--providers.file.watch=true",
	}
	args = append(args, b.entryPoints()...)
	args = append(args, b.ingressProvider()...)
	if b.args.GatewayAPI {
		args = append(args, b.gatewayProvider()...)
	}
	return args
}

// entryPoints are the ports.
func (b *builder) entryPoints() []string {
	var args []string
	add := func(entryPoint string, options ...string) {
		for _, option := range options {
			args = append(args, "--entryPoints."+entryPoint+"."+option)
		}
	}
	for _, public := range []struct {
		name string
		port int
	}{{httpName, HTTPPort}, {httpsName, HTTPSPort}} {
		add(public.name, fmt.Sprintf("address=:%d", public.port), fmt.Sprintf("http.maxHeaderBytes=%d", largestHeader),
			fmt.Sprintf("transport.lifeCycle.requestAcceptGraceTimeout=%ds", acceptSeconds),
			fmt.Sprintf("transport.lifeCycle.graceTimeOut=%ds", finishSeconds),
			fmt.Sprintf("transport.respondingTimeouts.readTimeout=%s", slowest),
			// An answer may take as long as it needs: some are streams.
			fmt.Sprintf("transport.respondingTimeouts.idleTimeout=%s", idle))
		if trusted := strings.Join(b.args.TrustedProxies, ","); trusted != "" {
			add(public.name, "forwardedHeaders.trustedIPs="+trusted)
			if b.args.ProxyProtocol {
				add(public.name, "proxyProtocol.trustedIPs="+trusted)
			}
		}
	}
	// Everything by HTTP is redirected, but for /.well-known/acme-challenge/: cert-manager makes an Ingress for that path,
	// without a TLS section, while it proves to an ACME server that a host name is ours.
	add(httpName, fmt.Sprintf("http.redirections.entryPoint.to=:%d", b.args.Service.HTTPSPort),
		"http.redirections.entryPoint.scheme=https", "http.redirections.entryPoint.permanent=true", "allowACMEByPass=true")
	if b.args.HSTS.MaxAge > 0 {
		add(httpsName, "http.middlewares="+hstsName+"@file")
	}
	add(managementPart, fmt.Sprintf("address=:%d", managementPort), "observability.accessLogs=false",
		"observability.metrics=false", fmt.Sprintf("transport.lifeCycle.requestAcceptGraceTimeout=%ds", acceptSeconds))
	return args
}

// ingressProvider serves Ingress objects.
func (b *builder) ingressProvider() []string {
	args := []string{
		"controllerClass=" + controller,
		// What the annotation kubernetes.io/ingress.class names.
		"ingressClass=" + b.args.ClassName,
		// The API server names the default class in new objects. Those that are older than the class still have none.
		fmt.Sprintf("watchIngressWithoutClass=%t", b.args.DefaultClass),
		"httpEntryPoint=" + httpName,
		"httpsEntryPoint=" + httpsName,
		"publishService=" + Namespace + "/" + name,
		"disableSvcExternalName=true",
		"allowSnippetAnnotations=false",
		"allowCrossNamespaceResources=false",
		fmt.Sprintf("proxyConnectTimeout=%d", connectSeconds),
		// No request is tried again at another backend. Traefik decides on that by a note that the request has been sent,
		// and with HTTP/2 the answer can be there before the note: then 3.7.5 loses the answer, and says 200 without a body,
		// and 3.7.13 sends the request once more, whatever it does. An Ingress can ask for it.
		"proxyNextUpstream=off",
	}
	if watched := b.args.watched(); len(watched) > 0 {
		args = append(args, fmt.Sprintf("watchNamespaceSelector=%s in (%s)", corev1.LabelMetadataName, strings.Join(watched, ",")))
	}
	for i, arg := range args {
		args[i] = "--providers.kubernetesIngressNGINX." + arg
	}
	return append([]string{"--providers.kubernetesIngressNGINX=true"}, args...)
}

// gatewayProvider serves the Gateway API.
func (b *builder) gatewayProvider() []string {
	const option = "--providers.kubernetesGateway"
	args := []string{
		option + "=true",
		option + ".statusAddress.service.namespace=" + Namespace,
		option + ".statusAddress.service.name=" + name,
	}
	if watched := b.args.watched(); len(watched) > 0 {
		args = append(args, option+".namespaces="+strings.Join(watched, ","))
	}
	return args
}
