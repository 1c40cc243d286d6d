package config_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func TestFootprint(t *testing.T) {
	cfg, err := parse(t, `
availability: zonal
storage:
  postgresql:
    walVolume: {}
    clusters:
      - {name: platform, databases: [{name: iris}, {name: gateway}, {name: grafana}]}
      - {name: cp, databases: [{name: controlplane}], volume: {size: 50Gi}, recovery: {sourceCluster: old}}
  cache: {persistence: {size: 2Gi}}`)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"cluster.kind":                                         "existing",
		"storage.postgresql.backend":                           "cloudNativePG",
		"identity.admin.username":                              "admin",
		"monitoring.prometheus.volume.size":                    "50Gi",
		"monitoring.alertmanager.volume.size":                  "1Gi",
		"network.ingress.traefik.service.loadBalancerClass":    "",
		"identity.database":                                    "iris",
		"identity.version":                                     "26.7",
		"storage.postgresql.clusters[platform].volume.size":    "10Gi",
		"storage.postgresql.clusters[platform].walVolume.size": "5Gi",
		"storage.postgresql.clusters[cp].volume.size":          "50Gi",
		"storage.postgresql.clusters[cp].walVolume.size":       "5Gi",
		"storage.postgresql.clusters[cp].recovery.serverName":  "old-restored",
		"storage.cache.persistence.size":                       "2Gi",
		"storage.cache.persistence.storageClass":               "",
		"storage.objectStorage.minio.bucket":                   "controlplane-files",
		"storage.objectStorage.minio.backupBucket":             "controlplane-files-backups",
		"storage.objectStorage.minio.servers":                  "4",
		"storage.objectStorage.minio.volume.size":              "20Gi",
		"storage.objectStorage.minio.volume.storageClass":      "",
	}, cfg.Footprint())
	assert.NoError(t, cfg.CheckFootprint(cfg.Footprint()), "what exists can stay")
}

// TestCheckFootprint changes a stack, and asserts what is said about it.
func TestCheckFootprint(t *testing.T) {
	const key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"
	const restoredIris = "\nstorage: {postgresql: {clusters: [{name: platform, databases: [{name: gateway}, {name: controlplane}]}, " +
		"{name: before, recovery: {sourceCluster: platform}, databases: [{name: iris}]}]}}"
	const two = "storage: {postgresql: {clusters: [{name: platform, databases: [{name: iris}, {name: gateway}]}, {name: cp, databases: [{name: controlplane}]}]}}"
	for _, test := range []struct{ name, before, after, want string }{
		{"nothing before", "", "", ""},
		{"another bucket", "", "storage: {objectStorage: {bucket: other, backupBucket: controlplane-files-backups}}",
			`controlplane:storage.objectStorage.bucket: "other" must be "controlplane-files", which it is now: what is in a bucket does not move to another`},
		{"larger volumes", "", "storage: {postgresql: {volume: {size: 1Ti}}, objectStorage: {minio: {volume: {size: 30Gi}}}}", ""},
		{"the same size in other words", "", "storage: {postgresql: {volume: {size: 10240Mi}}}", ""},
		{"smaller database volume", "", "storage: {postgresql: {volume: {size: 5Gi}}}",
			`controlplane:storage.postgresql.volume.size: "5Gi" must be at least "10Gi", which it is now: volumes cannot shrink`},
		{"smaller volume of several clusters", two, two[:len(two)-2] + ", volume: {size: 5Gi}}}",
			`controlplane:storage.postgresql.volume.size: "5Gi" must be at least "10Gi", which it is now: volumes cannot shrink`},
		{"smaller volume of one cluster", two,
			"storage: {postgresql: {clusters: [{name: cp, databases: [{name: controlplane}]}, {name: platform, databases: [{name: iris}, {name: gateway}], volume: {size: 1Gi}}]}}",
			`controlplane:storage.postgresql.clusters[1].volume.size: "1Gi" must be at least "10Gi", which it is now: volumes cannot shrink`},
		{"clusters merged", two, "", ""},
		{"smaller log volume", "storage: {postgresql: {walVolume: {}}}", "storage: {postgresql: {walVolume: {size: 2Gi}}}",
			`controlplane:storage.postgresql.walVolume.size: "2Gi" must be at least "5Gi", which it is now: volumes cannot shrink`},
		{"log volume added", "", "storage: {postgresql: {walVolume: {}}}", ""},
		{"log volume removed", "storage: {postgresql: {walVolume: {}}}", "",
			"controlplane:storage.postgresql.clusters[0].walVolume: is missing; cluster platform has such a volume of 5Gi now, and cannot lose it"},
		{"recovery removed", "storage: {postgresql: {clusters: [{name: a, recovery: {}, databases: [{name: iris}, {name: gateway}, {name: controlplane}]}]}}",
			"storage: {postgresql: {clusters: [{name: a, databases: [{name: iris}, {name: gateway}, {name: controlplane}]}]}}",
			"controlplane:storage.postgresql.clusters[0].recovery: is missing; must stay as long as cluster a does: its backups are under the server name a-restored"},
		{"recovery changed", cluster("recovery: {}"), cluster("recovery: {serverName: second}"),
			`controlplane:storage.postgresql.clusters[0].recovery.serverName: "second" must be "platform-restored", which it is now: recovery is read when a cluster is created`},
		{"recovery of what is there", "", cluster("recovery: {}"),
			"controlplane:storage.postgresql.clusters[0].recovery: has no effect on cluster platform, which is there already: must be in a cluster with another name, which then starts with the data of platform"},
		{"recovery into another cluster", "", strings.Replace(cluster("recovery: {sourceCluster: platform}"), "name: platform", "name: restored", 1), ""},
		{"smaller cache", "storage: {cache: {persistence: {}}}", "storage: {cache: {persistence: {size: 2Gi}}}",
			`controlplane:storage.cache.persistence.size: "2Gi" must be at least "4Gi", which it is now: volumes cannot shrink`},
		{"cache in memory only", "storage: {cache: {persistence: {}}}", "", ""},
		{"smaller object storage", "", "storage: {objectStorage: {minio: {volume: {size: 19Gi}}}}",
			`controlplane:storage.objectStorage.minio.volume.size: "19Gi" must be at least "20Gi", which it is now: volumes cannot shrink`},
		{"a class for all", "storage: {cache: {persistence: {}}}", "storage: {storageClass: fast, cache: {persistence: {}}}",
			`controlplane:storage.storageClass: "fast" is not allowed: there are volumes of the cluster's default class, and a volume stays in its class; move the data to a new stack`},
		{"another class", "storage: {storageClass: fast}", "storage: {storageClass: fast, objectStorage: {minio: {volume: {storageClass: slow}}}}",
			`controlplane:storage.objectStorage.minio.volume.storageClass: "slow" must be "fast", which it is now: a volume stays in its class; move the data to a new stack`},
		{"another class for databases, which new volumes take", "", "storage: {postgresql: {volume: {storageClass: fast}}}", ""},
		{"more servers", "", "availability: zonal",
			"controlplane:storage.objectStorage.minio.servers: 4 must be 1, which it is now: a pool of servers cannot change its size; move the data to a new stack that has another"},
		{"a key for what another one encrypts", s3("bucket: files"), s3("bucket: files, s3: {kmsKeyArn: '" + key + "'}"),
			`controlplane:storage.objectStorage.s3.kmsKeyArn: "` + key + `" is not allowed: the stack has a key of its own, and objects that are there could not be read with another key; move them to a new stack`},
		{"a key that is taken away", s3("bucket: files, s3: {kmsKeyArn: '" + key + "'}"), s3("bucket: files"),
			`controlplane:storage.objectStorage.s3.kmsKeyArn: "" must be "` + key + `", which it is now: objects that are there could not be read with another key; move them to a new stack`},
		{"another object storage", "", "storage: {objectStorage: {backend: none}}", ""},
		{"another patch of Keycloak", identity("replicas: 3"), identity("replicas: 3, image: 'quay.io/keycloak/keycloak:26.7.0'"), ""},
		{"a newer Keycloak", identity("replicas: 1"), identity("replicas: 1, image: 'quay.io/keycloak/keycloak:26.8.0'"),
			`controlplane:identity.version: "26.8" is not the version that runs now, "26.7", and servers of two versions cannot form one cluster, as they would while the update rolls; set controlplane:identity.updateStrategy to Recreate for this update, which interrupts the service for some minutes, and remove it afterwards`},
		{"a newer Keycloak after all old ones have ended", identity("replicas: 3"), identity("replicas: 3, updateStrategy: Recreate, image: 'quay.io/keycloak/keycloak:26.8.0'"), ""},
		{"an older Keycloak", identity("image: 'quay.io/keycloak/keycloak:26.10.1'"), identity("replicas: 3, updateStrategy: Recreate"),
			`controlplane:identity.version: "26.7" must be at least "26.10", which it is now: the newer version has changed the tables in the database, and an older one cannot work with them; to go back, have the database restored from a backup of before in the same change, in a new cluster with recovery`},
		{"an older Keycloak on a database of before", identity("image: 'quay.io/keycloak/keycloak:26.10.1'"),
			identity("updateStrategy: Recreate") + restoredIris, ""},
		{"an older Keycloak on a database of before, beside the newer one", identity("image: 'quay.io/keycloak/keycloak:26.10.1'"),
			identity("replicas: 3") + restoredIris,
			`controlplane:identity.version: "26.7" is not the version that runs now, "26.10", and servers of two versions cannot form one cluster, as they would while the update rolls; set controlplane:identity.updateStrategy to Recreate for this update, which interrupts the service for some minutes, and remove it afterwards`},
		{"an older Keycloak on a database that was restored before", identity("image: 'quay.io/keycloak/keycloak:26.10.1'") + restoredIris,
			identity("updateStrategy: Recreate") + restoredIris,
			`controlplane:identity.version: "26.7" must be at least "26.10", which it is now: the newer version has changed the tables in the database, and an older one cannot work with them; to go back, have the database restored from a backup of before in the same change, in a new cluster with recovery`},
		{"an older Keycloak beside another database of before", identity("image: 'quay.io/keycloak/keycloak:26.10.1'"),
			identity("updateStrategy: Recreate") + strings.NewReplacer("iris", "gateway", "gateway", "iris").Replace(restoredIris),
			`controlplane:identity.version: "26.7" must be at least "26.10", which it is now: the newer version has changed the tables in the database, and an older one cannot work with them; to go back, have the database restored from a backup of before in the same change, in a new cluster with recovery`},
		{"another database of Keycloak", "", identity("database: keycloak") + "\n" + owned("{name: iris}, {name: keycloak}, {name: gateway}, {name: controlplane}"),
			`controlplane:identity.database: "keycloak" must be "iris", which it is now: realms, clients and users are in it and would be left behind; where they move to another cluster of PostgreSQL with a backup (recovery), the database keeps its name`},
		{"another administrator", "", identity("admin: {username: root}"),
			`controlplane:identity.admin.username: "root" must be "admin", which it is now: Keycloak makes an administrator at its first start only; to use another one that was made in Keycloak, set identity.admin.password to its password as well`},
		{"another administrator that is there", "", identity("admin: {username: root, password: correct-horse}"), ""},
		{"another host name", "", "identity: {hostname: login.example.com}", ""},
		{"a class for the load balancer", "", traefik("service: {loadBalancerClass: service.k8s.aws/nlb}"),
			`controlplane:network.ingress.traefik.service.loadBalancerClass: "service.k8s.aws/nlb" is not allowed: there is a load balancer of the environment's default class, and Kubernetes never moves a Service to another class; to get a new load balancer, with a new address, have service.type NodePort for one up`},
		{"another class of load balancer", traefik("service: {loadBalancerClass: service.k8s.aws/nlb}"), "",
			`controlplane:network.ingress.traefik.service.loadBalancerClass: "" must be "service.k8s.aws/nlb", which it is now: Kubernetes never moves a Service to another class; to get a new load balancer, with a new address, have service.type NodePort for one up`},
		{"no load balancer any more", traefik("service: {loadBalancerClass: service.k8s.aws/nlb}"), traefik("service: {type: NodePort}"), ""},
		{"a load balancer where there was none", traefik("service: {type: NodePort}"), traefik("service: {loadBalancerClass: service.k8s.aws/nlb}"), ""},
		{"another class of ingress, and a mesh", "", "network: {ingress: {traefik: {className: public}}, mesh: {type: istio}}", ""},
		{"smaller volumes of the monitoring", "", "monitoring: {prometheus: {volume: {size: 10Gi}}, alertmanager: {volume: {size: 512Mi}}, grafana: {volume: {size: 100Mi}}}",
			`controlplane:monitoring.alertmanager.volume.size: "512Mi" must be at least "1Gi", which it is now: volumes cannot shrink
controlplane:monitoring.grafana.volume.size: "100Mi" must be at least "1Gi", which it is now: volumes cannot shrink
controlplane:monitoring.prometheus.volume.size: "10Gi" must be at least "20Gi", which it is now: volumes cannot shrink`},
		{"larger volumes of the monitoring", "", "monitoring: {prometheus: {volume: {size: 40Gi}}, alertmanager: {volume: {size: 2Gi}}, grafana: {volume: {size: 2Gi}}}", ""},
		{"another class for Prometheus, which new volumes take", "", "monitoring: {prometheus: {volume: {storageClass: fast}}, alertmanager: {volume: {storageClass: fast}}}", ""},
		{"another class for Grafana", "", "monitoring: {grafana: {volume: {storageClass: fast}}}",
			`controlplane:monitoring.grafana.volume.storageClass: "fast" is not allowed: there are volumes of the cluster's default class, and a volume stays in its class; move the data to a new stack`},
		{"Grafana without its volume", "", "monitoring: {grafana: {enabled: false}}", ""},
		{"Grafana with a database", "", "monitoring: {grafana: {database: grafana}}\n" + owned("{name: iris}, {name: gateway}, {name: controlplane}, {name: grafana}"), ""},
		{"monitoring by somebody else", "", "monitoring: {stack: existing}", ""},
		{"monitoring of our own", "monitoring: {stack: existing}", "monitoring: {prometheus: {volume: {size: 2Gi}}}", ""},
		{"everything at once", "availability: zonal", "storage: {postgresql: {volume: {size: 5Gi}}}",
			`controlplane:monitoring.prometheus.volume.size: "20Gi" must be at least "50Gi", which it is now: volumes cannot shrink
controlplane:storage.objectStorage.minio.servers: 1 must be 4, which it is now: a pool of servers cannot change its size; move the data to a new stack that has another
controlplane:storage.postgresql.volume.size: "5Gi" must be at least "10Gi", which it is now: volumes cannot shrink`},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, err := parse(t, test.before)
			require.NoError(t, err)
			after, err := parse(t, test.after)
			require.NoError(t, err)
			err = after.CheckFootprint(before.Footprint())
			if test.want == "" {
				assert.NoError(t, err)
				return
			}
			var problems config.Errors
			require.ErrorAs(t, err, &problems)
			assert.Equal(t, test.want, err.Error())
		})
	}
}

func TestCheckFootprintOfNobody(t *testing.T) {
	cfg, err := parse(t, "")
	require.NoError(t, err)
	assert.NoError(t, cfg.CheckFootprint(nil))
	strange := maps.Clone(cfg.Footprint())
	strange["storage.objectStorage.minio.volume.size"] = "plenty"
	err = cfg.CheckFootprint(strange)
	assert.ErrorContains(t, err, `compare storage.objectStorage.minio.volume.size with the present "plenty"`)
	for _, version := range []string{"", "26", "26.x"} {
		assert.ErrorContains(t, cfg.CheckFootprint(map[string]string{"identity.version": version}), `compare identity.version with the present "`+version+`"`)
	}
}
