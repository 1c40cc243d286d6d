package rds

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/components/storage/postgresql"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// databasesScript makes roles and databases, as often as it is run. Its arguments are database, owner and limit of
// connections of each; the passwords are in PASSWORD_0 and so on. psql hashes them before it sends them, so no log of
// the server can have them.
//
// The administrator is no superuser: it has to be a member of a role to give it a database. Texts are sorted by code
// points, which no update of a library changes.
const databasesScript = `set -eu
sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set people=` + PeopleRole + ` "$@"; }
sql --command 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC'
if [ -n "${PEOPLE:-}" ]; then
  sql <<'SQL'
SELECT format('CREATE ROLE %I', :'people') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'people') \gexec
ALTER ROLE :"people" LOGIN;
GRANT rds_iam TO :"people";
SQL
else
  sql <<'SQL'
SELECT format('ALTER ROLE %I NOLOGIN', :'people') WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = :'people') \gexec
SQL
fi
n=0
while [ $# -gt 0 ]; do
  database=$1 owner=$2 limit=$3
  shift 3
  sql --set owner="$owner" <<'SQL'
SELECT format('CREATE ROLE %I', :'owner') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
SQL
  eval "password=\$PASSWORD_$n"
  printf '%s\n%s\n' "$password" "$password" | sql --command "\\password \"$owner\""
  sql --set owner="$owner" --set database="$database" --set limit="$limit" <<'SQL'
ALTER ROLE :"owner" LOGIN CONNECTION LIMIT :limit;
GRANT :"owner" TO CURRENT_USER;
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' %s', :'database', :'owner',
  CASE WHEN current_setting('server_version_num')::int >= 170000
    THEN 'LOCALE_PROVIDER builtin BUILTIN_LOCALE ''C.UTF-8''' ELSE 'LC_COLLATE ''C''' END)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"owner";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
  if [ -n "${PEOPLE:-}" ]; then
    sql --dbname "$database" --set owner="$owner" --set database="$database" <<'SQL'
SET ROLE :"owner";
GRANT CONNECT ON DATABASE :"database" TO :"people";
GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"people";
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO :"people";
SQL
  fi
  echo "database $database of role $owner is there"
  n=$((n + 1))
done
`

// administrator is how the role that makes the others connects.
func (b *builder) administrator(i Instance, made *instance, password pulumi.StringOutput) postgresql.Connection {
	return postgresql.Connection{
		Host: made.Address, Primary: made.Address, Port: postgresql.Port, Pods: b.args.stores(), Cluster: i.Name,
		Database: "postgres", User: Administrator, Password: password, SecretName: AdministratorSecret(i.Name),
	}
}

// logins are the Secrets with names and passwords.
func (b *builder) logins(i Instance, administrator postgresql.Connection) (manifest.Set, error) {
	all := []postgresql.Connection{administrator}
	for _, d := range i.Databases {
		all = append(all, b.databases[d.Name])
	}
	var sets []manifest.Set
	for _, c := range all {
		set, err := c.Secret(nil)
		if err != nil {
			return set, err
		}
		sets = append(sets, set)
	}
	return manifest.Merge(sets...), nil
}

// job makes what is missing, and then logs in to each database as its clients do. It is another one for another
// instance, even one with the same address, and for other passwords; the rest is in its pod.
func (b *builder) job(i Instance, administrator postgresql.Connection, made *instance) (manifest.Set, error) {
	check := postgresql.Check{
		Common: b.args.Common, Cluster: i.Name, Image: b.args.Image, Again: []any{administrator.Password, made.ID()},
	}
	maker := check.Client("make-databases", postgresql.LoginScript+databasesScript, administrator)
	maker.Command = append(maker.Command, "make-databases")
	for n, d := range i.Databases {
		c := b.databases[d.Name]
		check.Connections = append(check.Connections, c)
		maker.Command = append(maker.Command, c.Database, c.User, strconv.Itoa(c.ConnectionLimit))
		maker.Env = append(maker.Env, corev1.EnvVar{Name: fmt.Sprintf("PASSWORD_%d", n), ValueFrom: &corev1.EnvVarSource{
			SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: c.SecretName}, Key: corev1.BasicAuthPasswordKey,
			},
		}})
	}
	if b.args.IAMAuthentication {
		maker.Env = append(maker.Env, corev1.EnvVar{Name: "PEOPLE", Value: PeopleRole})
	}
	check.Before = []corev1.Container{maker}
	return check.Job()
}

// controlPlane tells the Control Plane its database, if that is one of the instance's.
func (b *builder) controlPlane(i Instance) (manifest.Set, error) {
	c, found := b.databases[b.args.ControlPlaneDatabase]
	if !found || c.Cluster != i.Name {
		return manifest.Set{}, nil
	}
	return c.ControlPlane(b.args.ControlPlaneNamespace, b.args.ControlPlaneSSLMode)
}
