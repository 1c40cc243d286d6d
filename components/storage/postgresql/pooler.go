package postgresql

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// poolerRole creates what a pooler looks up passwords with. The operator would do so itself, if it had the key of the
// client certificates' authority; that stays with cert-manager. (Its warning, that the integration is to be configured
// by hand, is about this.) Every cluster has it from its start, so that a pooler
// can be added later. The function tells the passwords of the databases' owners, which are hashed, and of nobody with
// more rights.
var poolerRole = []string{
	"CREATE ROLE " + poolerUser + " LOGIN",
	"CREATE FUNCTION public.pooler_user_search(name TEXT) RETURNS TABLE (usename name, passwd text)" +
		" LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp" +
		" AS 'SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1 AND NOT usesuper AND NOT userepl'",
	"REVOKE ALL ON FUNCTION public.pooler_user_search(text) FROM PUBLIC",
	"GRANT EXECUTE ON FUNCTION public.pooler_user_search(text) TO " + poolerUser,
}

// poolerLabel has the name of the pooler that a pod belongs to; the operator sets it.
const poolerLabel = "cnpg.io/poolerName"

// poolerQuery is how a pooler asks for a password.
const poolerQuery = "SELECT usename, passwd FROM public.pooler_user_search($1)"

// pooler is PgBouncer in front of the primary, if there is one.
func (b *builder) pooler(p plan) (manifest.Set, error) {
	if p.Pooler == nil {
		return manifest.Set{}, nil
	}
	labels := map[string]string{poolerLabel: p.poolerName()}
	objects := []runtime.Object{manifest.Custom(apiVersion, "Pooler", Namespace, p.poolerName(), "jsonpath={.status.phase}=active",
		map[string]any{
			"cluster": map[string]any{"name": p.Name}, "type": "rw", "instances": p.Pooler.Instances,
			"pgbouncer": pgBouncer(p), "template": b.poolerPods(p, labels),
		})}
	if p.Pooler.Instances > 1 {
		objects = append(objects, &policyv1.PodDisruptionBudget{
			ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: p.poolerName()},
			Spec: policyv1.PodDisruptionBudgetSpec{
				MaxUnavailable: new(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
				UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
			},
		})
	}
	return manifest.Typed(objects...)
}

// pgBouncer is the pooler's own configuration: TLS on both sides, and the primary's certificate verified in full.
func pgBouncer(p plan) map[string]any {
	parameters := map[string]string{
		"max_client_conn":      strconv.Itoa(p.Pooler.MaxClientConnections),
		"default_pool_size":    strconv.Itoa(p.Pooler.PoolSize),
		"client_tls_sslmode":   "require",
		"server_tls_sslmode":   "verify-full",
		"server_tls_protocols": "tlsv1.3",
	}
	return map[string]any{
		"poolMode": p.Pooler.Mode, "image": p.Pooler.Image, "parameters": parameters,
		"clientTLSSecret": map[string]any{"name": p.poolerCertificate()},
		"serverTLSSecret": map[string]any{"name": p.poolerLogin()}, "authQuery": poolerQuery,
	}
}

// poolerPods sizes and spreads the pooler's pods; the operator adds the rest by the containers' names.
func (b *builder) poolerPods(p plan, labels map[string]string) map[string]any {
	resources := p.Pooler.Resources
	if len(resources.Requests)+len(resources.Limits) == 0 {
		resources = b.args.Classes[workload.Operator]
	}
	spec := map[string]any{
		"containers":     []any{map[string]any{"name": "pgbouncer", "resources": resources}},
		"initContainers": []any{map[string]any{"name": "bootstrap-controller", "resources": resources}},
	}
	if p.Pooler.Instances > 1 {
		spec["affinity"] = corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
				Weight: 100,
				PodAffinityTerm: corev1.PodAffinityTerm{
					TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: labels},
				},
			}},
		}}
		if b.args.Availability == workload.Zonal {
			zones := overZones(labels)
			zones.MatchLabelKeys = []string{"pod-template-hash"} // each revision on its own
			spec["topologySpreadConstraints"] = []any{zones}
		}
	}
	return map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec}
}
