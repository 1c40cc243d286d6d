package preflight

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// enforcers are DaemonSets of network plugins that enforce network policies.
var enforcers = []string{
	"anetd", "antrea-agent", "aws-node", "azure-npm", "calico-node", "canal", "cilium", "kindnet", "kube-network-policies",
	"kube-router", "ovnkube-node", "rke2-canal", "weave-net",
}

// networkPolicies looks for a network plugin that enforces them: no API tells. K3s has one built in.
func (i *inspector) networkPolicies(ctx context.Context) error {
	const check, needed = "network policies", "a network plugin that enforces NetworkPolicies"
	if !i.needs.NetworkPolicies {
		return nil
	}
	daemons, err := i.client.AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{})
	if i.unseen(err, check, needed) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, d := range daemons.Items {
		if slices.Contains(enforcers, d.Name) {
			return nil
		}
	}
	info, err := i.client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	if !strings.Contains(info.GitVersion, "+k3s") {
		i.report(Warning, check, "none of those that are known to", needed,
			"Make sure that yours does, such as Calico or Cilium: without one every pod reaches every other.")
	}
	return nil
}

// issuer is who signs the tokens of service accounts. AWS believes those of the OIDC provider's issuer alone. A cluster
// with several tells the first one only, so another one may be right.
func (i *inspector) issuer(ctx context.Context) error {
	const check = "token issuer"
	_, provider, found := strings.Cut(i.needs.OIDCProviderARN, ":oidc-provider/")
	if !found {
		return nil
	}
	needed := "https://" + provider + ", which cluster.oidcProviderArn is of"
	data, err := i.client.Discovery().RESTClient().Get().AbsPath("/.well-known/openid-configuration").DoRaw(ctx)
	if i.unseen(err, check, needed) {
		return nil
	}
	if err != nil {
		return err
	}
	var document struct {
		Issuer string `json:"issuer"`
	}
	if err := json.Unmarshal(data, &document); err != nil || strings.TrimPrefix(document.Issuer, "https://") != provider {
		i.report(Warning, check, document.Issuer, needed,
			"Pods could not assume roles. Give the ARN of the IAM OIDC provider of this cluster; one that has none needs a public issuer first.")
	}
	return nil
}
