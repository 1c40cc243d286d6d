package config_test

import (
	"time"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func minutes(n int) config.Duration { return config.Duration(time.Duration(n) * time.Minute) }

// defaultIdentity is the identity provider of a stack that configures no more
// than its host name.
func defaultIdentity() config.Identity {
	return config.Identity{
		Hostname: "iris.example.com", Image: "quay.io/keycloak/keycloak:26.7.3", Version: "26.7.3",
		UpdateStrategy: config.RollingUpdate, Replicas: 1, Autoscaling: config.Autoscaling{MaxReplicas: 2, TargetCPUPercent: 75},
		Database: "iris", Admin: config.IdentityAdmin{Username: "admin"}, AdminAPI: config.AdminAPI{URL: "https://localhost:18443"},
		PasswordGeneration: 1, ServiceMonitor: true,
		Realms: []config.Realm{defaultRealm(config.RealmClient{ID: "rover", Type: config.ConfidentialClient, ClientCredentials: true})},
	}
}

// defaultRealm is the realm rover with the given clients.
func defaultRealm(clients ...config.RealmClient) config.Realm {
	return config.Realm{
		Name: "rover", AccessTokenLifespan: minutes(5), SessionIdleTimeout: minutes(30), SessionMaxLifespan: hours(10), SignatureAlgorithm: "RS256",
		BruteForce: config.BruteForce{MaxFailures: 10, WaitIncrement: minutes(1), MaxWait: minutes(15)},
		Events:     config.Events{Retention: hours(168), Admin: true}, Clients: clients,
	}
}
