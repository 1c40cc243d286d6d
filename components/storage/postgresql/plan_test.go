package postgresql_test

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
)

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*postgresql.Args)
		wanted string
	}{
		"no database": {func(a *postgresql.Args) { a.Clusters[0].Databases = nil }, "cluster platform: it has no database"},
		"an owner of two": {
			func(a *postgresql.Args) { a.Clusters[0].Databases[1].Owner = "iris" }, "role iris owns two databases",
		},
		"a database twice": {
			func(a *postgresql.Args) {
				other := a.Clusters[0]
				other.Name = "other"
				a.Clusters = append(a.Clusters, other)
			},
			"database iris is in cluster platform and in cluster other",
		},
		"no replica to wait for": {
			func(a *postgresql.Args) { a.Clusters[0].Instances = 1 }, "1 synchronous replicas need at least 2 instances; it has 1",
		},
		"no plugin": {func(a *postgresql.Args) { a.BackupPlugin = nil }, "need the backup plugin"},
		"an unknown database for the Control Plane": {
			func(a *postgresql.Args) { a.ControlPlaneDatabase = "nowhere" }, "the Control Plane's database nowhere is in no cluster",
		},
		"backups over their own origin": {
			func(a *postgresql.Args) {
				a.Clusters[0].Recovery = &postgresql.Recovery{Store: a.Clusters[0].Backup.Store, SourceServerName: "platform"}
			},
			"the backup needs another server name",
		},
		"weaker passwords": {
			func(a *postgresql.Args) { a.Clusters[0].Parameters = map[string]string{"password_encryption": "md5"} },
			`parameter password_encryption is always scram-sha-256; "md5" is given`,
		},
		"too few connections": {
			func(a *postgresql.Args) { a.Clusters[0].Parameters = map[string]string{"max_connections": "100"} },
			"max_connections is 100; its databases need at least 140: 40 for each pool, 20 for the cluster itself",
		},
	} {
		t.Run(name, func(t *testing.T) {
			args := zonal(t)
			c.change(&args)
			g, err := try(args)
			assert.ErrorContains(t, err, c.wanted)
			assert.Empty(t, g.objects(), "nothing is registered")
		})
	}
}

// TestNamesAreStable: another name is another password or another volume.
func TestNamesAreStable(t *testing.T) {
	var passwords []string
	for _, r := range run(t, single(t)).all {
		if r.kind == "random:index/randomPassword:RandomPassword" {
			passwords = append(passwords, r.name)
			assert.Equal(t, resource.NewNumberProperty(32), r.inputs["length"])
			assert.Equal(t, resource.NewBoolProperty(false), r.inputs["special"])
		}
	}
	assert.ElementsMatch(t, []string{"postgresql-platform-iris", "postgresql-platform-gateway", "postgresql-platform-control_plane"}, passwords)
}
