package alertmanager_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// arguments are those of three replicas, with a receiver of every kind.
func arguments() alertmanager.Args {
	secret := func(text string) alertmanager.Credential {
		return alertmanager.Credential{Value: pulumi.String(text)}
	}
	heartbeat := secret("https://beats.example.com:8443/secret-path")
	password := secret("mail-password")
	return alertmanager.Args{
		Image: "quay.io/prometheus/alertmanager:v0.31.1", Replicas: 3, Volume: part.Volume{Size: "1Gi"},
		Receivers: []alertmanager.Receiver{
			{Name: "on-call", PagerDuty: &alertmanager.PagerDuty{RoutingKey: secret("key-of-on-call")}},
			{Name: "team", Slack: &alertmanager.Slack{
				Channel: "#platform",
				URL:     alertmanager.Credential{Ref: &alertmanager.SecretRef{Name: "chat", Key: "url"}},
			}},
			{Name: "databases", Email: &alertmanager.Email{To: []string{"a@example.com", "b@example.com"}}},
			{Name: "tickets", Webhook: &alertmanager.Webhook{URL: "https://tickets.example.com:9443/alerts"}},
			{Name: "heartbeat", Webhook: &alertmanager.Webhook{SecretURL: &heartbeat, Port: 8443}},
		},
		SMTP: &alertmanager.SMTP{
			Host: "mail.example.com", Port: 587, From: "platform@example.com", Username: "platform", Password: &password,
			RequireTLS: true,
		},
		Routes: []alertmanager.Route{
			{Receiver: "on-call", Severities: []string{alertmanager.Critical}},
			{Receiver: "team", Components: []string{"iris", "ingress"}, Active: []alertmanager.Hours{{
				Weekdays: []string{"monday:friday"}, From: "08:00", To: "17:00", Location: "Europe/Berlin",
			}}},
			{Receiver: "databases", Components: []string{"postgresql"}, Severities: []string{"critical", "warning", "info"}},
			{Receiver: "team", Namespaces: []string{"shop"}, Severities: []string{alertmanager.Warning}, RepeatInterval: "1h"},
		},
		DefaultReceiver: "tickets", WatchdogReceiver: "heartbeat",
	}
}

// program registers a namespace and everything of Alertmanager.
func program(args alertmanager.Args, availability workload.Availability) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		common, err := process.Common(ctx, availability)
		if err != nil {
			return err
		}
		args.Common = common
		set, err := args.Set()
		if err != nil {
			return err
		}
		ground, err := manifest.Typed(workload.Namespace(names.Namespace, common.NamespaceLabels()))
		if err != nil {
			return err
		}
		owner := &pulumi.ResourceState{}
		if err := ctx.RegisterComponentResource("test:alertmanager:Owner", "owner", owner); err != nil {
			return err
		}
		_, err = common.Registrar(ctx, owner).Register(manifest.Merge(ground, set))
		return err
	}
}

func rendered(t *testing.T, args alertmanager.Args, availability workload.Availability) *process.Objects {
	t.Helper()
	return process.Render(t, verify.NewCA(t, "platform"), program(args, availability))
}

// files writes the configuration as a pod has it, below a directory in place of /etc/alertmanager.
func files(t *testing.T, args alertmanager.Args) (configuration string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range rendered(t, args, workload.Zonal).Data("Secret", "alertmanager-configuration") {
		path := filepath.Join(dir, "config", name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		content = strings.ReplaceAll(content, "/etc/alertmanager", dir)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	return filepath.Join(dir, "config", "alertmanager.yaml")
}

// amtool runs the tool that belongs to Alertmanager.
func amtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), process.Programs(t, "amtool")["amtool"], args...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
