package handover

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// zone is the Control Plane's first Zone with the environment that it is in. Passwords are in it: an empty one would have
// the Control Plane invent one that nobody else knows.
func zone(out *Outputs, opt Options) ([]file, error) {
	labels := map[string]any{"cp.ei.telekom.de/environment": opt.Environment}
	named := func(apiVersion, kind, name string, spec map[string]any) map[string]any {
		return map[string]any{
			"apiVersion": apiVersion, "kind": kind, "spec": spec,
			"metadata": map[string]any{"name": name, "namespace": opt.Environment, "labels": labels},
		}
	}
	namespace := map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": opt.Environment, "labels": labels},
	}
	environment := named("admin.cp.ei.telekom.de/v1", "Environment", opt.Environment, map[string]any{})
	all := named("admin.cp.ei.telekom.de/v1", "Zone", opt.Zone, map[string]any{
		"visibility": "Enterprise",
		"identityProvider": map[string]any{
			"url": out.identityProvider(),
			"admin": map[string]any{
				"url": out.IrisAdminURL, "clientId": "admin-cli", "userName": out.IrisAdminUser, "password": out.IrisAdminPassword,
			},
		},
		"gateway": map[string]any{
			"admin": map[string]any{
				"url": opt.GatewayAdminURL, "clientId": out.RoverClient.ID, "clientSecret": out.RoverClient.Secret,
			},
			"presets": []any{map[string]any{"name": "default", "default": true, "urls": []any{
				map[string]any{"hostname": opt.GatewayHostname, "basePath": "/", "hidden": false},
			}}},
		},
		"redis": map[string]any{
			"host": out.Redis.Host, "port": out.Redis.Port, "password": out.Redis.Password, "enableTLS": out.Redis.TLS,
		},
	})
	var files []file
	for _, f := range []struct {
		path    string
		objects []any
	}{{"zone/environment.yaml", []any{namespace, environment}}, {"zone/zone.yaml", []any{all}}} {
		var text []byte
		for i, o := range f.objects {
			data, err := yaml.Marshal(o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.path, err)
			}
			if i > 0 {
				text = append(text, "---\n"...)
			}
			text = append(text, data...)
		}
		files = append(files, file{path: f.path, data: text, secret: true})
	}
	return files, nil
}
