package postgresql_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const cluster = "postgresql/platform"

// TestEachRoleReachesItsOwnDatabaseOnly: the first line of pg_hba.conf that fits decides.
func TestEachRoleReachesItsOwnDatabaseOnly(t *testing.T) {
	assert.Equal(t, []any{
		`hostssl "iris" "iris" all scram-sha-256`,
		`hostssl "gateway" "gateway" all scram-sha-256`,
		`hostssl "control_plane" "control_plane" all scram-sha-256`,
		"host all all all reject",
	}, run(t, single(t)).field(t, "Cluster", cluster, "spec", "postgresql", "pg_hba"))
}

func TestNobodyHasMoreRightsThanTheirDatabaseNeeds(t *testing.T) {
	g := run(t, single(t))
	assert.Equal(t, false, g.field(t, "Cluster", cluster, "spec", "enableSuperuserAccess"))
	roles := g.field(t, "Cluster", cluster, "spec", "managed", "roles").([]any)
	require.Len(t, roles, 3)
	for _, r := range roles {
		role := r.(map[string]any)
		assert.Equal(t, true, role["login"], role["name"])
		for _, right := range []string{"superuser", "createdb", "createrole", "replication", "bypassrls"} {
			assert.Equal(t, false, role[right], "%s of %s", right, role["name"])
		}
		assert.Equal(t, int64(60), role["connectionLimit"], "three share 200 connections less those kept for the cluster")
		secret := role["passwordSecret"].(map[string]any)["name"].(string)
		assert.Equal(t, role["name"], g.field(t, "Secret", "postgresql/"+secret, "stringData", "username"))
		assert.Equal(t, "kubernetes.io/basic-auth", g.field(t, "Secret", "postgresql/"+secret, "type"))
		assert.Equal(t, "password-of-postgresql-platform-"+role["name"].(string),
			g.field(t, "Secret", "postgresql/"+secret, "stringData", "password"))
	}
	parameters := g.field(t, "Cluster", cluster, "spec", "postgresql", "parameters").(map[string]any)
	assert.Equal(t, "scram-sha-256", parameters["password_encryption"])
	assert.Equal(t, "TLSv1.3", parameters["ssl_min_protocol_version"])
	assert.Equal(t, "200", parameters["max_connections"])
	assert.Equal(t, "128MB", parameters["shared_buffers"], "a quarter of the memory")
}

// TestNoPasswordIsPlain: what carries one is a secret to the engine.
func TestNoPasswordIsPlain(t *testing.T) {
	for _, r := range run(t, zonal(t)).objects() {
		data, err := json.Marshal(r.object)
		require.NoError(t, err)
		if !strings.Contains(string(data), "password-of-") {
			continue
		}
		assert.Equal(t, "Secret", r.object.GetKind(), r.name)
		assert.True(t, r.inputs["stringData"].ContainsSecrets(), r.name)
	}
}

func TestOrder(t *testing.T) {
	g := run(t, zonal(t))
	operator := g.after(g.find(t, "Deployment", "cnpg-system/cnpg-controller-manager"))
	assert.Contains(t, operator, "MutatingWebhookConfiguration cnpg-mutating-webhook-configuration", "the operator ends without it")
	assert.Contains(t, operator, "ValidatingWebhookConfiguration cnpg-validating-webhook-configuration")
	assert.Contains(t, operator, "ClusterRoleBinding cnpg-manager-rolebinding")
	assert.Contains(t, g.after(g.find(t, "Deployment", "cnpg-system/barman-cloud")), "Certificate cnpg-system/barman-cloud-server")
	created := g.after(g.find(t, "Cluster", cluster))
	for _, name := range []string{
		"Deployment cnpg-system/cnpg-controller-manager", "Deployment cnpg-system/barman-cloud",
		"Namespace postgresql", "Certificate postgresql/platform-server-tls", "Certificate postgresql/platform-replication-tls",
		"Secret postgresql/platform-user-iris", "Secret postgresql/platform-user-gateway", "ObjectStore postgresql/platform-backup",
	} {
		assert.Contains(t, created, name, "the cluster needs it, and goes first when everything is destroyed")
	}
	for _, kind := range []string{"Database", "Pooler", "ScheduledBackup"} {
		for _, r := range g.objects(kind) {
			assert.Contains(t, g.after(r), "Cluster "+cluster, r.name)
		}
	}
	checked := g.after(g.find(t, "Job", "postgresql/platform-check"))
	assert.Contains(t, checked, "Pooler postgresql/platform-pooler-rw")
	assert.Contains(t, checked, "Database postgresql/platform-control-plane")
	assert.Contains(t, g.after(g.find(t, "Secret", "controlplane-system/controlplane-db")), "Job postgresql/platform-check",
		"the Control Plane is told of a database that accepts it")
}

// TestMoreInstancesAreWaitedFor: the condition alone still holds for the fewer ones when they are asked for.
func TestMoreInstancesAreWaitedFor(t *testing.T) {
	for instances, args := range map[string]postgresql.Args{"1": single(t), "3": zonal(t)} {
		var conditions []string
		text := run(t, args).find(t, "Cluster", cluster).object.GetAnnotations()["pulumi.com/waitFor"]
		require.NoError(t, json.Unmarshal([]byte(text), &conditions), text)
		assert.Equal(t, []string{"jsonpath={.status.readyInstances}=" + instances, "condition=Ready"}, conditions)
	}
}

func TestCertificates(t *testing.T) {
	g := run(t, zonal(t))
	assert.Equal(t, map[string]any{
		"serverTLSSecret": "platform-server-tls", "serverCASecret": "platform-server-tls",
		"replicationTLSSecret": "platform-replication-tls", "clientCASecret": "platform-client-ca",
	}, g.field(t, "Cluster", cluster, "spec", "certificates"))
	issuer := func(name string) any {
		return g.field(t, "Certificate", "postgresql/"+name, "spec", "issuerRef", "name")
	}
	assert.Equal(t, "platform-ca", issuer("platform-server-tls"), "which the trust bundle verifies")
	assert.Equal(t, "platform-ca", issuer("platform-pooler-tls"))
	for _, name := range []string{"platform-replication-tls", "platform-pooler-login"} {
		assert.Equal(t, "platform-client-ca", issuer(name), "a client certificate of the platform CA opens no database")
	}
	assert.Equal(t, "streaming_replica", g.field(t, "Certificate", "postgresql/platform-replication-tls", "spec", "commonName"))
	names := g.field(t, "Certificate", "postgresql/platform-server-tls", "spec", "dnsNames")
	for _, service := range []string{"platform-rw", "platform-r", "platform-ro"} {
		assert.Contains(t, names, service+".postgresql.svc")
	}
	for _, connection := range g.databases {
		assert.Contains(t, g.field(t, "Certificate", "postgresql/platform-pooler-tls", "spec", "dnsNames"), string(connection.Host.(pulumi.String)))
	}
}

func TestPlacement(t *testing.T) {
	g := run(t, zonal(t))
	assert.Equal(t, map[string]any{
		"enablePodAntiAffinity": true, "podAntiAffinityType": "required", "topologyKey": "kubernetes.io/hostname",
	}, g.field(t, "Cluster", cluster, "spec", "affinity"))
	for _, spread := range []any{
		g.field(t, "Cluster", cluster, "spec", "topologySpreadConstraints"),
		g.field(t, "Pooler", "postgresql/platform-pooler-rw", "spec", "template", "spec", "topologySpreadConstraints"),
		g.field(t, "Deployment", "cnpg-system/cnpg-controller-manager", "spec", "template", "spec", "topologySpreadConstraints"),
	} {
		zones := spread.([]any)[0].(map[string]any)
		assert.Equal(t, "topology.kubernetes.io/zone", zones["topologyKey"])
		assert.Equal(t, "DoNotSchedule", zones["whenUnsatisfiable"])
		assert.Equal(t, "Honor", zones["nodeTaintsPolicy"], "a zone that is gone does not hold pods back")
	}
	g.find(t, "PodDisruptionBudget", "cnpg-system/cnpg-controller-manager")
	g.find(t, "PodDisruptionBudget", "postgresql/platform-pooler-rw")
	assert.Equal(t, true, g.field(t, "Cluster", cluster, "spec", "enablePDB"))
	alone := run(t, single(t))
	assert.Empty(t, alone.objects("PodDisruptionBudget"), "a budget for one pod blocks every drain")
	assert.Equal(t, false, alone.field(t, "Cluster", cluster, "spec", "enablePDB"))
	assert.NotContains(t, alone.find(t, "Cluster", cluster).object.Object["spec"], "topologySpreadConstraints")
}

// TestSynchronousReplication: with a replica to spare nothing committed is ever lost; without, writing goes on.
func TestSynchronousReplication(t *testing.T) {
	args := zonal(t)
	assert.Equal(t, map[string]any{"method": "any", "number": int64(1), "dataDurability": "required", "failoverQuorum": true},
		run(t, args).field(t, "Cluster", cluster, "spec", "postgresql", "synchronous"))
	args.Clusters[0].Instances = 2
	assert.Equal(t, map[string]any{"method": "any", "number": int64(1), "dataDurability": "preferred"},
		run(t, args).field(t, "Cluster", cluster, "spec", "postgresql", "synchronous"))
	assert.NotContains(t, run(t, single(t)).field(t, "Cluster", cluster, "spec", "postgresql"), "synchronous")
}

func TestVolumes(t *testing.T) {
	g := run(t, zonal(t))
	assert.Equal(t, map[string]any{"size": "10Gi", "storageClass": "fast", "resizeInUseVolumes": true},
		g.field(t, "Cluster", cluster, "spec", "storage"))
	assert.Equal(t, map[string]any{"size": "5Gi", "resizeInUseVolumes": true}, g.field(t, "Cluster", cluster, "spec", "walStorage"))
}

func TestPodsAreRestricted(t *testing.T) {
	for _, r := range run(t, zonal(t)).objects("Deployment", "Job") {
		assert.NoError(t, workload.CheckRestricted(&manifest.Object{Unstructured: r.object}))
	}
}

// TestCheckLogsInLikeAClient: to every database, verified in full, with the role's own password, without a token.
func TestCheckLogsInLikeAClient(t *testing.T) {
	g := run(t, zonal(t))
	var job batchv1.JobSpec
	g.into(t, &job, "Job", "postgresql/platform-check", "spec")
	pod := job.Template.Spec
	assert.False(t, *pod.AutomountServiceAccountToken)
	require.Len(t, pod.Containers, 3)
	for _, container := range pod.Containers {
		env := map[string]string{}
		for _, variable := range container.Env {
			env[variable.Name] = variable.Value
			if variable.ValueFrom != nil {
				env[variable.Name] = variable.ValueFrom.SecretKeyRef.Name
			}
		}
		connection := g.databases[env["PGDATABASE"]]
		assert.Equal(t, connection.Host, pulumi.String(env["PGHOST"]))
		assert.Equal(t, connection.User, env["PGUSER"])
		assert.Equal(t, connection.SecretName, env["PGPASSWORD"])
		assert.Equal(t, "verify-full", env["PGSSLMODE"])
		assert.Equal(t, "/run/trust/trust-bundle.pem", env["PGSSLROOTCERT"])
		assert.Equal(t, image, container.Image)
		assert.Equal(t, operatorClass.Limits.Memory().String(), container.Resources.Limits.Memory().String())
	}
	assert.Equal(t, "platform-trust", pod.Volumes[0].ConfigMap.Name)
	assert.Equal(t, "platform", g.find(t, "Namespace", "postgresql").object.GetLabels()["trust.controlplane.io/bundle"])
}

// TestCheckRunsAgainWithNewPasswords: a Job runs once, and the Control Plane is told a password only when it works.
func TestCheckRunsAgainWithNewPasswords(t *testing.T) {
	template := func(change func(*postgresql.Args)) any {
		args := single(t)
		change(&args)
		g := run(t, args)
		value := g.find(t, "Job", "postgresql/platform-check").inputs["spec"].ObjectValue()["template"]
		assert.False(t, value.ContainsSecrets(), "a preview shows why it runs again")
		return g.field(t, "Job", "postgresql/platform-check", "spec", "template")
	}
	first := template(func(*postgresql.Args) {})
	assert.Equal(t, first, template(func(a *postgresql.Args) { a.Clusters[0].Volume.Size = "20Gi" }), "nothing that it tries")
	assert.NotEqual(t, first, template(func(a *postgresql.Args) { a.PasswordGeneration = 2 }))
}

func TestConnections(t *testing.T) {
	direct, pooled := run(t, single(t)).databases, run(t, zonal(t)).databases
	require.Len(t, direct, 3)
	iris := direct["iris"]
	assert.Equal(t, pulumi.String("platform-rw.postgresql.svc"), iris.Host)
	assert.Equal(t, pulumi.String("platform-pooler-rw.postgresql.svc"), pooled["iris"].Host)
	assert.Equal(t, []any{5432, "iris", "iris", "platform-user-iris", "platform", 60},
		[]any{iris.Port, iris.Database, iris.User, iris.SecretName, iris.Cluster, iris.ConnectionLimit})
	assert.Equal(t, "platform-user-control-plane", direct["control_plane"].SecretName)
}

func TestSecretOfTheControlPlane(t *testing.T) {
	args := single(t)
	assert.Equal(t,
		"postgresql://control_plane:password-of-postgresql-platform-control_plane@platform-rw.postgresql.svc:5432/control_plane?sslmode=verify-full",
		run(t, args).field(t, "Secret", "controlplane-system/controlplane-db", "stringData", "url"))
	args.ControlPlaneDatabase = ""
	for _, r := range run(t, args).objects("Secret") {
		assert.NotEqual(t, "controlplane-db", r.object.GetName())
	}
}

// TestDatabasesHaveObjects: all of them, because one may be put in front of the one that the cluster began with.
func TestDatabasesHaveObjects(t *testing.T) {
	g := run(t, single(t))
	initdb := g.field(t, "Cluster", cluster, "spec", "bootstrap", "initdb").(map[string]any)
	assert.Equal(t, []any{"iris", "iris", true}, []any{initdb["database"], initdb["owner"], initdb["dataChecksums"]})
	var names []string
	for _, r := range g.objects("Database") {
		spec := r.object.Object["spec"].(map[string]any)
		assert.Equal(t, "retain", spec["databaseReclaimPolicy"], "removing the object keeps the data")
		names = append(names, spec["name"].(string))
	}
	assert.ElementsMatch(t, []string{"iris", "gateway", "control_plane"}, names)
}

func TestClusterPerConsumer(t *testing.T) {
	g := run(t, perConsumer(t))
	require.Len(t, g.objects("Cluster"), 3)
	require.Len(t, g.objects("Job"), 3)
	require.Len(t, g.objects("Database"), 3)
	assert.Equal(t, pulumi.String("gateway-pooler-rw.postgresql.svc"), g.databases["gateway"].Host)
	assert.Equal(t, "iris", g.databases["iris"].Cluster)
	var authorities []any
	for _, r := range g.objects("Cluster") {
		authorities = append(authorities, g.field(t, "Cluster", r.name, "spec", "certificates", "clientCASecret"))
	}
	assert.ElementsMatch(t, []any{"iris-client-ca", "gateway-client-ca", "control-plane-client-ca"}, authorities,
		"a replica of one cluster is nobody in another")
	g.find(t, "Secret", "controlplane-system/controlplane-db")
}

func TestMetrics(t *testing.T) {
	args := zonal(t)
	g := run(t, args)
	var names []string
	for _, r := range g.objects("PodMonitor") {
		names = append(names, r.name)
	}
	assert.ElementsMatch(t, []string{"cnpg-system/cnpg-controller-manager", cluster, "postgresql/platform-pooler-rw"}, names)
	endpoint := g.field(t, "PodMonitor", cluster, "spec", "podMetricsEndpoints").([]any)[0].(map[string]any)
	assert.Equal(t, "https", endpoint["scheme"])
	assert.Equal(t, map[string]any{
		"ca":         map[string]any{"configMap": map[string]any{"name": "platform-trust", "key": "trust-bundle.pem"}},
		"serverName": "platform-rw.postgresql.svc",
	}, endpoint["tlsConfig"])
	args.Operator.PodMonitor, args.Clusters[0].PodMonitor = false, false
	assert.Empty(t, run(t, args).objects("PodMonitor"), "its definition may be missing")
}

func TestProtection(t *testing.T) {
	protected := func(g *graph) (kinds []string) {
		for _, r := range g.all {
			if r.protected {
				kinds = append(kinds, r.object.GetKind())
			}
		}
		return kinds
	}
	assert.Equal(t, []string{"Namespace", "Cluster"}, protected(run(t, zonal(t))))
	assert.Empty(t, protected(run(t, single(t))))
}

// TestEverythingComesFromTheMirror: also what the operator and the plugin add to pods.
func TestEverythingComesFromTheMirror(t *testing.T) {
	args := zonal(t)
	args.Transforms = []manifest.Transform{manifest.MirrorImages("mirror.example.com")}
	var images []string
	for _, r := range run(t, args).objects("Deployment", "Job", "Cluster", "Pooler") {
		data, err := json.Marshal(r.object)
		require.NoError(t, err)
		for _, text := range strings.Split(string(data), `"`) {
			if strings.Contains(text, "ghcr.io/") {
				assert.True(t, strings.HasPrefix(text, "mirror.example.com/ghcr.io/"), "%s in %s", text, r.name)
				images = append(images, text)
			}
		}
	}
	slices.Sort(images)
	assert.Len(t, slices.Compact(images), 5, "operator, plugin, sidecar, database, pooler")
}
