package postgresql_test

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
)

func TestPooler(t *testing.T) {
	g := run(t, zonal(t))
	bouncer := g.field(t, "Pooler", "postgresql/platform-pooler-rw", "spec", "pgbouncer").(map[string]any)
	assert.Equal(t, map[string]any{
		"max_client_conn": "300", "default_pool_size": "20",
		"client_tls_sslmode": "require", "server_tls_sslmode": "verify-full", "server_tls_protocols": "tlsv1.3",
	}, bouncer["parameters"])
	assert.Equal(t, "session", bouncer["poolMode"])
	for _, role := range g.field(t, "Cluster", cluster, "spec", "managed", "roles").([]any) {
		assert.GreaterOrEqual(t, role.(map[string]any)["connectionLimit"], int64(40), "two poolers with twenty connections each")
	}
	// The query calls a function that the cluster's creation has made, as the role that the pooler's certificate names.
	function := strings.SplitN(strings.Split(bouncer["authQuery"].(string), "FROM ")[1], "(", 2)[0]
	statements := strings.Join(texts(g.field(t, "Cluster", cluster, "spec", "bootstrap", "initdb", "postInitSQL")), "\n")
	assert.Contains(t, statements, "CREATE FUNCTION "+function)
	assert.Contains(t, statements, "GRANT EXECUTE ON FUNCTION "+function+"(text) TO "+
		g.field(t, "Certificate", "postgresql/platform-pooler-login", "spec", "commonName").(string))
	assert.Empty(t, run(t, single(t)).objects("Pooler"))
}

// TestPastThePooler: a client with a pool of its own finds the primary without a pooler in between.
func TestPastThePooler(t *testing.T) {
	pooled, direct := run(t, zonal(t)).databases["iris"], run(t, single(t)).databases["iris"]
	assert.Equal(t, pulumi.String("platform-pooler-rw.postgresql.svc"), pooled.Host)
	assert.Equal(t, pulumi.String("platform-rw.postgresql.svc"), pooled.Primary)
	assert.Equal(t, direct.Host, direct.Primary)
}

func texts(list any) (all []string) {
	for _, item := range list.([]any) {
		all = append(all, item.(string))
	}
	return all
}

// TestMorePoolsThanConnections: the pools of all databases fit into what the database accepts.
func TestMorePoolsThanConnections(t *testing.T) {
	args := zonal(t)
	args.Clusters[0].Pooler.PoolSize = 100
	g := run(t, args)
	assert.Equal(t, "620", g.field(t, "Cluster", cluster, "spec", "postgresql", "parameters", "max_connections"))
	assert.Equal(t, 200, g.databases["iris"].ConnectionLimit)
}
