package rds_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/storage/rds"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/postgres"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// service is a real server, with what Amazon RDS gives an instance: an administrator who is no superuser.
type service struct {
	*postgres.Server
	t  *testing.T
	ca verify.CA
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, ca: verify.NewCA(t, "Amazon RDS")}
	s.Server = postgres.Start(t, postgres.Options{CA: s.ca})
	s.Query(t, "postgres", `CREATE ROLE platform_admin LOGIN CREATEDB CREATEROLE;
		ALTER DATABASE postgres OWNER TO platform_admin; ALTER DATABASE template1 OWNER TO platform_admin;
		CREATE ROLE rds_iam; GRANT rds_iam TO platform_admin WITH ADMIN OPTION`)
	return s
}

// administer gives the administrator its password, as AWS does.
func (s *service) administer(r *rendered) {
	s.Query(s.t, "postgres", fmt.Sprintf("ALTER ROLE platform_admin PASSWORD '%s'",
		r.Data("Secret", rds.AdministratorSecret("platform"))["password"]))
}

// run runs the Job's containers one after the other, as they are rendered but for the server's address.
func (s *service) run(r *rendered, containers ...string) {
	s.t.Helper()
	// In a container there is no terminal that psql could ask for a password.
	shell := filepath.Join(s.t.TempDir(), "sh")
	setsid, err := exec.LookPath("setsid")
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(shell, []byte("#!/bin/sh\nexec "+setsid+" --wait /bin/sh \"$@\"\n"), 0o755))
	programs := process.Programs(s.t, "psql")
	programs["sh"] = shell
	for _, name := range containers {
		p := r.Start(s.t, process.Spec{
			Workload: "Job/platform-check", Container: name, Dir: s.t.TempDir(), Programs: programs,
			Env: map[string]string{"PGHOST": s.Host, "PGPORT": fmt.Sprint(s.Port)},
		})
		require.Zero(s.t, p.Wait(30*time.Second), p.Log())
	}
}

// connect logs in as a client.
func (s *service) connect(user, password, database string) (*pgconn.PgConn, error) {
	file := filepath.Join(s.t.TempDir(), "ca.pem")
	require.NoError(s.t, os.WriteFile(file, []byte(s.ca.Certificate), 0o600))
	conn, err := pgconn.Connect(s.t.Context(), fmt.Sprintf("host=%s port=%d user=%s password=%s database=%s sslmode=verify-full sslrootcert=%s",
		s.Host, s.Port, user, password, database, file))
	if err == nil {
		s.t.Cleanup(func() { _ = conn.Close(s.t.Context()) })
	}
	return conn, err
}

// password is what a consumer finds in its Secret.
func (r *rendered) password(user string) string {
	return r.Data("Secret", "platform-user-"+user)["password"]
}

var everyContainer = []string{"make-databases", "iris", "gateway", "control-plane"}

// The Job makes what consumers need, as often as it runs, and changes passwords when they are made anew.
func TestJobMakesDatabases(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := render(t, s.ca, workload.Zonal)
	s.administer(first)
	s.run(first, everyContainer...)

	conn, err := s.connect("iris", first.password("iris"), "iris")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE TABLE realm (name text); INSERT INTO realm VALUES ('rover')").ReadAll()
	require.NoError(t, err, "the owner of a database makes tables")
	for _, other := range []string{"gateway", "control_plane", "postgres", "template1"} {
		_, err := s.connect("iris", first.password("iris"), other)
		assert.ErrorContains(t, err, "permission denied for database", other)
	}
	assert.Equal(t, [][]string{{"gateway", "60", "t"}, {"iris", "60", "t"}}, s.Query(t, "postgres",
		`SELECT rolname, rolconnlimit, rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname IN ('iris', 'gateway') ORDER BY 1`))
	assert.Equal(t, [][]string{{"iris", "iris", "UTF8"}}, s.Query(t, "postgres",
		`SELECT datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'iris'`))
	assert.Equal(t, [][]string{{"Z"}, {"a"}}, s.Query(t, "iris", `SELECT * FROM (VALUES ('a'), ('Z')) AS v (x) ORDER BY x`),
		"sorted by code points")

	second := render(t, s.ca, workload.Zonal, func(a *rds.Args) { a.PasswordGeneration = 2 })
	require.NotEqual(t, first.password("iris"), second.password("iris"))
	assert.NotEqual(t, first.Find("Job", "platform-check").Object["spec"], second.Find("Job", "platform-check").Object["spec"],
		"a Job runs once: for other passwords it is another one")
	s.administer(second)
	s.run(second, everyContainer...)
	_, err = s.connect("iris", first.password("iris"), "iris")
	assert.ErrorContains(t, err, "password authentication failed")
	assert.Equal(t, [][]string{{"rover"}}, s.Query(t, "iris", "SELECT name FROM realm"), "what was there is there")
	s.run(second, everyContainer...)
}

// People read what is in the databases, and cannot log in any more when that is switched off.
func TestPeopleRead(t *testing.T) {
	t.Parallel()
	s := newService(t)
	allowed := render(t, s.ca, workload.Zonal, func(a *rds.Args) { a.IAMAuthentication = true })
	assert.Equal(t, true, allowed.inputs(t, "rds-platform")["iamDatabaseAuthenticationEnabled"])
	s.administer(allowed)
	s.run(allowed, everyContainer...)
	conn, err := s.connect("iris", allowed.password("iris"), "iris")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "CREATE TABLE realm (name text); INSERT INTO realm VALUES ('rover')").ReadAll()
	require.NoError(t, err)

	assert.Equal(t, [][]string{{"t", "t", "f", "t"}}, s.Query(t, "iris", `SELECT rolcanlogin, pg_has_role(rolname, 'rds_iam', 'MEMBER'),
		pg_has_role(rolname, 'iris', 'MEMBER'), has_database_privilege(rolname, 'iris', 'CONNECT') FROM pg_roles WHERE rolname = 'platform_people'`))
	assert.Equal(t, [][]string{{"rover"}}, s.Query(t, "iris", "SET ROLE platform_people; SELECT name FROM realm"))
	assert.Equal(t, [][]string{{"f", "f"}}, s.Query(t, "iris", `SELECT has_table_privilege('platform_people', 'realm', 'INSERT'),
		has_schema_privilege('platform_people', 'public', 'CREATE')`))

	s.run(render(t, s.ca, workload.Zonal), "make-databases")
	assert.Equal(t, [][]string{{"f"}}, s.Query(t, "postgres", "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'platform_people'"))
}
