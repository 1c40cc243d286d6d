package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// identityMarks are the database that realms are in, the administrator that is
// in it, and the version of Keycloak, of which the patch does not matter.
func (c *Config) identityMarks(previous map[string]string) []mark {
	i := c.Identity
	restored := c.restores(i.Database, previous)
	return []mark{
		{"identity.database", "identity.database", i.Database, otherDatabase},
		{"identity.admin.username", "identity.admin.username", i.Admin.Username, func(present, next string) (string, error) {
			if present == next || i.Admin.Password.IsSet() {
				return "", nil
			}
			return fmt.Sprintf("must be %q, which it is now: Keycloak makes an administrator at its first start only; to use another one that was made in Keycloak, set identity.admin.password to its password as well", present), nil
		}},
		{"identity.version", "identity.version", minor(i.Version), func(present, next string) (string, error) {
			return otherVersion(present, next, i.UpdateStrategy != Recreate, restored)
		}},
	}
}

// restores says whether a database is to be in a cluster that does not exist
// yet, and that starts with what a backup has.
func (c *Config) restores(database string, previous map[string]string) bool {
	return slices.ContainsFunc(c.Storage.PostgreSQL.Clusters, func(cluster DatabaseCluster) bool {
		_, exists := previous[clusterKey(cluster.Name)+dataSize]
		return cluster.Recovery != nil && !exists &&
			slices.ContainsFunc(cluster.Databases, func(d Database) bool { return d.Name == database })
	})
}

// minor is a version without its patch.
func minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func otherDatabase(present, next string) (string, error) {
	if present == next {
		return "", nil
	}
	return fmt.Sprintf("must be %q, which it is now: realms, clients and users are in it and would be left behind; where they move to another cluster of PostgreSQL with a backup (recovery), the database keeps its name", present), nil
}

// otherVersion compares major and minor versions; rolling says that the old
// and the new one would run beside each other, which one replica does as well:
// its successor starts before it ends; restored, that the database is one of
// before, which an older version may know.
func otherVersion(present, next string, rolling, restored bool) (string, error) {
	was, err := majorMinor(present)
	if err != nil {
		return "", err
	}
	is, err := majorMinor(next)
	if err != nil {
		return "", err
	}
	switch {
	case !restored && (is[0] < was[0] || is[0] == was[0] && is[1] < was[1]):
		return fmt.Sprintf("must be at least %q, which it is now: the newer version has changed the tables in the database, and an older one cannot work with them; to go back, have the database restored from a backup of before in the same change, in a new cluster with recovery", present), nil
	case is != was && rolling:
		return fmt.Sprintf("is not the version that runs now, %q, and servers of two versions cannot form one cluster, as they would while the update rolls; set controlplane:identity.updateStrategy to Recreate for this update, which interrupts the service for some minutes, and remove it afterwards", present), nil
	}
	return "", nil
}

func majorMinor(version string) (n [2]int, err error) {
	major, minor, _ := strings.Cut(version, ".")
	if n[0], err = strconv.Atoi(major); err == nil {
		n[1], err = strconv.Atoi(minor)
	}
	return n, err
}
