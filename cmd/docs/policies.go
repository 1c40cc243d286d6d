package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/stacks"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// policiesIntroduction is the part of the network policies' page that is written by hand.
//
//go:embed network-policies.md
var policiesIntroduction string

// settings are the values of a stack by key.
type settings map[string]any

// shown is the configuration whose flows are told in full.
var shown = settings{"availability": "zonal"}

// deviations are configurations of which the page says what is different.
var deviations = []struct {
	title, explanation string
	settings           settings
}{
	{"One of each", "With `controlplane:availability: single` there are no replicas that talk to each other, and no backups.", settings{
		"availability": "single",
	}},
	{"Amazon S3", "With `controlplane:storage.objectStorage.backend: s3` backups leave the cluster.", settings{
		"availability": "zonal", "aws": settings{"region": "eu-central-1"},
		"cluster": settings{"oidcProviderArn": "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"},
		"storage": settings{"objectStorage": settings{"backend": "s3", "bucket": "example-files"}},
	}},
	{"A pooler", "With `controlplane:storage.postgresql.pooler` clients reach databases through it.", settings{
		"availability": "zonal", "storage": settings{"postgresql": settings{"pooler": settings{"enabled": true}}},
	}},
	{"Certificates by ACME", "With `controlplane:certTrust.acme`, here with challenges over HTTP.", settings{
		"availability": "zonal", "certTrust": settings{"acme": settings{
			"server": "https://acme.example.com/directory", "email": "ops@example.com", "http01": settings{},
		}},
	}},
	{"Istio", "With `controlplane:network.mesh.type: istio` pods of the mesh reach each other through its tunnel.", settings{
		"availability": "zonal", "network": settings{"mesh": settings{"type": "istio"}},
	}},
	{"Linkerd", "With `controlplane:network.mesh.type: linkerd` pods of the mesh reach each other through its proxies.", settings{
		"availability": "zonal", "network": settings{"mesh": settings{"type": "linkerd"}},
	}},
}

// policies generates the page about network policies from the flows that the components declare.
func policies() ([]byte, error) {
	table, err := tableOf(shown)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(policiesIntroduction)
	out.WriteString("\n## All flows\n\nThose of a stack over three zones, with MinIO, backups and Traefik, and everything else by default. " +
		"Each stands under the namespace where it ends, or, if it ends at nobody in particular, where it begins.\n")
	out.WriteString(table.Markdown(3))
	fmt.Fprintf(&out, "\nThe same in a picture, without what stays in one namespace and without name resolution:\n\n```mermaid\n%s```\n", table.Diagram())
	out.WriteString("\nThe labels that policies know these pods by:\n\n" + table.Legend())
	out.WriteString("\n## In other configurations\n")
	for _, d := range deviations {
		other, err := tableOf(d.settings)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.title, err)
		}
		fmt.Fprintf(&out, "\n### %s\n\n%s\n%s", d.title, d.explanation, table.Changes(other))
	}
	return out.Bytes(), nil
}

// tableOf are the flows of a stack with the given settings.
func tableOf(s settings) (flow.Table, error) {
	cfg, err := parse(s)
	if err != nil {
		return flow.Table{}, err
	}
	return stacks.Table(cfg)
}

// parse is the configuration of a stack with the given settings.
func parse(s settings) (*config.Config, error) {
	values := map[string]string{config.Namespace + ":identity": `{"hostname":"iris.example.com"}`}
	for key, value := range s {
		text, isText := value.(string)
		if !isText {
			encoded, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			text = string(encoded)
		}
		values[config.Namespace+":"+key] = text
	}
	return config.ParseJSON(values)
}
