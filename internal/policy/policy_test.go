package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
)

// objects are Kubernetes objects as the program describes them, from YAML.
func objects(t *testing.T, documents string) []planned.Resource {
	t.Helper()
	var all []planned.Resource
	for document := range strings.SplitSeq(documents, "\n---\n") {
		inputs := map[string]any{}
		require.NoError(t, yaml.Unmarshal([]byte(document), &inputs))
		inputs, err := planned.Plain(inputs) // numbers as they are in a preview
		require.NoError(t, err)
		meta, _ := inputs["metadata"].(map[string]any)
		name := fmt.Sprint(meta["name"])
		if meta["namespace"] != nil {
			name = fmt.Sprint(meta["namespace"]) + "/" + name
		}
		group := fmt.Sprint(inputs["apiVersion"])
		if !strings.Contains(group, "/") {
			group = "core/" + group
		}
		all = append(all, planned.Resource{Type: "kubernetes:" + group + ":" + fmt.Sprint(inputs["kind"]), Name: name, Inputs: inputs})
	}
	return all
}

// messages are what a rule says.
func messages(rule string, all []planned.Resource) []string {
	var said []string
	for _, f := range policy.Check(all) {
		if f.Rule == rule {
			said = append(said, f.Name+": "+f.Message)
		}
	}
	return said
}

// web is a workload that breaks no rule.
const web = `apiVersion: apps/v1
kind: Deployment
metadata: {namespace: demo, name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: web
        image: registry.example.com:5000/web:1.2.3
        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        env:
        - {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
        - {name: TOKEN_FILE, value: /var/run/token}
`

func TestAGoodWorkloadBreaksNoRule(t *testing.T) {
	t.Parallel()
	assert.Empty(t, policy.Check(objects(t, web)))
}

func TestImages(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("0a", 32)
	for image, problem := range map[string]string{
		"web:1": "", "quay.io/org/web:v1.2.3-debian": "", "web" + digest: "", "localhost:5000/web:latest" + digest: "",
		"web": "has no tag", "localhost:5000/web": "has no tag", "web:latest": "has a tag that moves", "web:stable": "has a tag that moves",
		`""`: "is missing", "web:1@sha256:0a": "is no reference", `"a web:1"`: "is no reference", `"[unknown]"`: "has no tag",
	} {
		said := messages("image-tag", objects(t, strings.Replace(web, "registry.example.com:5000/web:1.2.3", image, 1)))
		if problem == "" {
			assert.Empty(t, said, image)
			continue
		}
		require.Len(t, said, 1, image)
		assert.Contains(t, said[0], problem, image)
	}
}

func TestPodsThatCannotBeReadAreNoted(t *testing.T) {
	t.Parallel()
	said := messages("pod-security", objects(t, strings.Replace(web, "{app: web}}\n    spec:", "{app: 1}}\n    spec:", 1)))
	require.Len(t, said, 1)
	assert.Contains(t, said[0], "demo/web: its pods cannot be judged")
}

const budget = `
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {namespace: demo, name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}`

const scaler = `
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {namespace: demo, name: web}
spec: {minReplicas: 1, maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}`

func TestBudgets(t *testing.T) {
	t.Parallel()
	several := strings.Replace(web, "replicas: 1", "replicas: 3", 1)
	for what, c := range map[string]struct{ manifests, says string }{
		"one pod needs none":                 {web, ""},
		"one pod may have one":               {web + budget, ""},
		"but not one that keeps it":          {web + strings.Replace(budget, "maxUnavailable: 1", "minAvailable: 1", 1), "never lets a pod leave"},
		"several need one":                   {several, "up to 3 replicas and no PodDisruptionBudget"},
		"and have it":                        {several + budget, ""},
		"two of three may have to stay":      {several + strings.Replace(budget, "maxUnavailable: 1", "minAvailable: 67%", 1), "never lets a pod leave"},
		"half of them may":                   {several + strings.Replace(budget, "maxUnavailable: 1", "minAvailable: 50%", 1), ""},
		"two budgets":                        {several + budget + strings.Replace(budget, "name: web", "name: other", 1), "several PodDisruptionBudgets"},
		"an autoscaler's pods need one, too": {web + scaler, "up to 4 replicas and no PodDisruptionBudget"},
		"another namespace's is none":        {several + strings.Replace(budget, "demo", "other", 1), "no PodDisruptionBudget"},
	} {
		said := strings.Join(messages("disruption-budget", objects(t, c.manifests)), "\n")
		if c.says == "" {
			assert.Empty(t, said, what)
		}
		assert.Contains(t, said, c.says, what)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	several := strings.Replace(web, "replicas: 1", "replicas: 2", 1)
	constraint := func(topology, app string) string {
		return strings.Replace(several, "    spec:\n", "    spec:\n      topologySpreadConstraints: [{maxSkew: 1, whenUnsatisfiable: DoNotSchedule, topologyKey: "+
			topology+", labelSelector: {matchLabels: {app: "+app+"}}}]\n", 1)
	}
	apart := strings.Replace(several, "    spec:\n", "    spec:\n      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "+
		"[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}\n", 1)
	assert.Len(t, messages("spread", objects(t, several)), 1)
	assert.Len(t, messages("spread", objects(t, web+scaler)), 1)
	assert.Empty(t, messages("spread", objects(t, constraint("topology.kubernetes.io/zone", "web"))))
	assert.Len(t, messages("spread", objects(t, constraint("topology.kubernetes.io/zone", "other"))), 1, "it selects other pods")
	assert.Len(t, messages("spread", objects(t, constraint("example.com/rack", "web"))), 1)
	assert.Empty(t, messages("spread", objects(t, apart)))
	assert.Empty(t, messages("spread", objects(t, strings.Replace(strings.Replace(several, "Deployment", "DaemonSet", 1), "  replicas: 2\n", "", 1))))
}

func TestSecretsOfAWS(t *testing.T) {
	t.Parallel()
	for value, plain := range map[string]bool{"hunter2hunter2": true, planned.Secret: false, planned.Unknown: false, "": false} {
		said := messages("plain-secret", []planned.Resource{{
			Type: aws.DatabaseInstance, Name: "db",
			Inputs: map[string]any{"password": value, "username": "administrator", "passwordPolicy": "long", "tags": map[string]any{"owner": "team"}},
		}})
		assert.Equal(t, plain, len(said) == 1, "%q: %v", value, said)
		assert.NotContains(t, strings.Join(said, ""), "hunter2", "what is found is not shown")
	}
}

func TestWhatLooksLikeASecret(t *testing.T) {
	t.Parallel()
	config := func(content string) []planned.Resource {
		return []planned.Resource{{Type: "kubernetes:core/v1:ConfigMap", Name: "demo/config", Inputs: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "demo", "name": "config"},
			"data": map[string]any{"file": content},
		}}}
	}
	for _, plain := range []string{
		"[db]\npassword = hunter2", "apiKey: hunter2", `{"x": 1,` + "\n" + `"clientSecret": "hunter2",` + "\n}", "export DB_PASSWORD=hunter2",
		"--admin-token=hunter2", "dsn: postgres://me:hunter2@db/x", "key: AKIAIOSFODNN7EXAMPLE", "-----BEGIN PRIVATE KEY-----\nMII\n",
		"bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSQo=",
	} {
		assert.Len(t, messages("plain-secret", config(plain)), 1, plain)
	}
	for _, fine := range []string{
		"password = $__file{/etc/secrets/password}", "password: ${DB_PASSWORD}", "token_file = hunter2", "access_token_ttl = 5m",
		"credentials_file: /var/run/token", "password: /etc/secret", "dsn: postgres://$USER:$PASSWORD@db/x", "https://example.com:8443/@me",
		"-----BEGIN CERTIFICATE-----\nMII\n", "# the password is elsewhere", "password:", "use_token: true", "token: {{ .Token }}",
	} {
		assert.Empty(t, messages("plain-secret", config(fine)), fine)
	}
}

const reader = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
`

func TestARoleIsJudgedByWhereItIsBound(t *testing.T) {
	t.Parallel()
	bound := func(kind, meta string) string {
		return reader + "\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: " + kind + "\nmetadata: {name: reader" + meta + "}\n" +
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}\nsubjects: [{kind: ServiceAccount, namespace: demo, name: web}]"
	}
	assert.Empty(t, messages("rbac", objects(t, reader)), "nobody has it")
	assert.Empty(t, messages("rbac", objects(t, bound("RoleBinding", ", namespace: demo"))), "somebody has it in a namespace")
	assert.Equal(t, []string{"reader: it may get secrets in all namespaces: whoever does so reads passwords and keys of every component"},
		messages("rbac", objects(t, bound("ClusterRoleBinding", ""))))
	assert.Len(t, messages("rbac", objects(t, strings.Replace(reader, "{name: reader}",
		`{name: reader, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}`, 1))), 1, "everybody who may view has it")
	assert.Empty(t, messages("rbac", objects(t, strings.Replace(bound("ClusterRoleBinding", ""), "verbs: [get]", "verbs: [get], resourceNames: [ca]", 1))),
		"it is about one object")
}

const service = `apiVersion: v1
kind: Service
metadata: {namespace: demo, name: web, labels: {app: web}}
spec: {ports: [{name: NAME, port: 8443}]}`

func TestPorts(t *testing.T) {
	t.Parallel()
	plain := strings.Replace(service, "NAME", "web", 1)
	webhook := `
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web}
webhooks: [{name: web.example.com, clientConfig: {service: {namespace: demo, name: web, port: PORT}}}]`
	monitor := `
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {namespace: demo, name: web}
spec: {selector: {matchLabels: {app: web}}, endpoints: [{port: web, scheme: SCHEME}]}`
	for what, c := range map[string]struct {
		manifests string
		fine      bool
	}{
		"no word of TLS":                    {plain, false},
		"a name that says so":               {strings.Replace(service, "NAME", "https-api", 1), true},
		"a name that ends so":               {strings.Replace(service, "NAME", "postgres-tls", 1), true},
		"a name that only begins so":        {strings.Replace(service, "NAME", "httpsomething", 1), false},
		"a protocol that says so":           {strings.Replace(plain, "port: 8443", "port: 8443, appProtocol: https", 1), true},
		"the API server calls it":           {plain + strings.Replace(webhook, "PORT", "8443", 1), true},
		"the API server calls another port": {plain + strings.Replace(webhook, "PORT", "443", 1), false},
		"Prometheus scrapes it over TLS":    {plain + strings.Replace(monitor, "SCHEME", "https", 1), true},
		"Prometheus scrapes it":             {plain + strings.Replace(monitor, "SCHEME", "http", 1), false},
		"it is somewhere else":              {strings.Replace(plain, "{ports", "{type: ExternalName, externalName: example.com, ports", 1), true},
	} {
		assert.Equal(t, c.fine, len(messages("tls", objects(t, c.manifests))) == 0, what)
	}
}

func TestProtectionIsForStacksThatAskForIt(t *testing.T) {
	t.Parallel()
	bucket := planned.Resource{Type: aws.Bucket, Name: "files", Inputs: map[string]any{"forceDestroy": false}}
	protected := planned.Resource{Type: aws.Bucket, Name: "backups", Protect: true, Inputs: map[string]any{}}
	assert.Empty(t, messages("deletion-protection", []planned.Resource{bucket}), "nothing is protected: it is meant so")
	assert.Equal(t, []string{"files: it is not protected, unlike other data of the stack: deleting it would delete the objects of a bucket"},
		messages("deletion-protection", []planned.Resource{bucket, protected}))
	bucket.Inputs = map[string]any{"forceDestroy": true}
	assert.Len(t, messages("deletion-protection", []planned.Resource{bucket}), 1, "never with everything that is in it")
}

func TestFindingsDoNotDependOnTheOrderOfResources(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(web, ":1.2.3", "", 1)
	one, other := objects(t, broken+"\n---\n"+strings.Replace(broken, "name: web}", "name: api}", 1)), objects(t,
		strings.Replace(broken, "name: web}", "name: api}", 1)+"\n---\n"+broken)
	require.Len(t, policy.Check(one), 2)
	assert.Equal(t, policy.Check(one), policy.Check(other))
}

func TestWhatHoldsData(t *testing.T) {
	t.Parallel()
	for resourceType, want := range map[string]string{
		"kubernetes:core/v1:PersistentVolumeClaim":                    "the data of a volume",
		"kubernetes:postgresql.cnpg.io/v1:Cluster":                    "the databases of a PostgreSQL cluster, on its volumes",
		"kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition": "every object of the kind that it defines, in all namespaces",
		aws.DatabaseInstance:                                          "the databases of an instance",
		"kubernetes:apps/v1:Deployment":                               "",
		"kubernetes:example.com/v1:Cluster":                           "",
		"controlplane:cluster:Cluster":                                "",
		"aws:s3/bucketVersioningV2:BucketVersioningV2":                "",
		"kubernetes:monitoring.coreos.com/v1alpha1:PrometheusAgent":   "",
		"kubernetes:monitoring.coreos.com/v1:Prometheus":              "the metrics, on its volumes",
		"keycloak:index/realm:Realm":                                  "the users, clients and sessions of a realm",
		"kubernetes:core/v1:Namespace":                                "everything in the namespace, its volumes included",
	} {
		what, ok := policy.Stateful(resourceType)
		assert.Equal(t, want, what, resourceType)
		assert.Equal(t, want != "", ok, resourceType)
	}
}
