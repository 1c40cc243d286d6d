package config

import "regexp"

// forwarded is the URL of the admin API at a port that is forwarded to it.
const forwarded = "https://localhost:18443"

func (c *Config) deriveIdentity() {
	i := &c.Identity
	c.replicas(&i.Replicas, 3)
	if i.Autoscaling.MaxReplicas == 0 {
		i.Autoscaling.MaxReplicas = 2 * i.Replicas
	}
	if i.Version == "" {
		i.Version = taggedVersion(i.Image)
	}
	if i.AdminAPI.URL == "" {
		i.AdminAPI.URL = forwarded
		if i.Admin.Hostname != "" && c.verifiesAdmin() {
			i.AdminAPI.URL = "https://" + i.Admin.Hostname
		}
	}
}

// verifiesAdmin tells whether the machine that this program runs on can verify
// the certificate of the admin host name. That of a CA that the first up makes
// on the cluster it cannot: nobody can know such a CA beforehand.
func (c *Config) verifiesAdmin() bool {
	return c.CertTrust.ACME != nil || c.CertTrust.PlatformCA.Source == CAExisting || c.Identity.AdminAPI.CACertificate != ""
}

var leadingVersion = regexp.MustCompile(`^v?([0-9]+\.[0-9]+(\.[0-9]+)?)($|[^0-9.])`)

// taggedVersion is the version that an image's tag begins with, if it does.
func taggedVersion(image string) string {
	_, tag := splitImage(image)
	if match := leadingVersion.FindStringSubmatch(tag); match != nil {
		return match[1]
	}
	return ""
}

// implyRealms adds the realm and the client that always exist to those that are
// configured, behind them so that these keep their positions.
func implyRealms(identity map[string]any) {
	realm := item(identity, "realms", "name", RoverRealm)
	client := item(realm, "clients", "clientId", RoverClient)
	absent(client, "clientCredentials", true)
}

// item returns the item of a list that has the name at its key, and adds one
// where there is none.
func item(values map[string]any, list, key, name string) map[string]any {
	items, _ := values[list].([]any)
	for _, i := range items {
		if found, ok := i.(map[string]any); ok && found[key] == name {
			return found
		}
	}
	added := map[string]any{key: name}
	values[list] = append(items, added)
	return added
}
