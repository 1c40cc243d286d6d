package traefik

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const gatewayVersion = gatewayGroup + "/v1"

// gatewayClass is the class of Gateways that Traefik serves.
func (b *builder) gatewayClass() runtime.Object {
	class := manifest.Custom(gatewayVersion, "GatewayClass", "", b.args.ClassName, "", map[string]any{
		"controllerName": gatewayController,
	})
	class.SetLabels(labels())
	return class
}

// gateway is open to the routes of all namespaces. The ports of its listeners are those of the pods: that is how Traefik
// knows which of its ports is meant. From outside they are the Service's.
func (b *builder) gateway() runtime.Object {
	listener := func(listenerName string, port int, protocol string) map[string]any {
		return map[string]any{
			"name": listenerName, "port": int64(port), "protocol": protocol,
			"allowedRoutes": map[string]any{"namespaces": map[string]any{"from": "All"}},
		}
	}
	secure := listener(httpsName, HTTPSPort, "HTTPS")
	secure["tls"] = map[string]any{
		"mode":            "Terminate",
		"certificateRefs": []any{map[string]any{"group": "", "kind": "Secret", "name": b.servedCertificate()}},
	}
	gateway := manifest.Custom(gatewayVersion, "Gateway", Namespace, name, "", map[string]any{
		"gatewayClassName": b.args.ClassName,
		"listeners":        []any{listener(httpName, HTTPPort, "HTTP"), secure},
	})
	gateway.SetLabels(labels())
	return gateway
}
