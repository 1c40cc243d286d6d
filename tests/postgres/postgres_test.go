package postgres

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const password = `p'a"s\s wörd`

// client connects as the role of an application does.
func client(t *testing.T, s *Server, host, database, password, sslmode string, ca verify.CA) (*pgx.Conn, error) {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "ca.crt")
	require.NoError(t, os.WriteFile(bundle, []byte(ca.Certificate), 0o644))
	query := url.Values{"sslmode": {sslmode}, "connect_timeout": {"10"}}
	if sslmode == "verify-full" {
		query.Set("sslrootcert", bundle)
	}
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword("iris", password), Host: fmt.Sprintf("%s:%d", host, s.Port),
		Path: database, RawQuery: query.Encode(),
	}
	config, err := pgx.ParseConfig(address.String())
	require.NoError(t, err)
	config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{s.Host}, nil }
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	}
	return conn, err
}

func TestServer(t *testing.T) {
	ca, foreign := verify.NewCA(t, "ours"), verify.NewCA(t, "foreign")
	s := Start(t, Options{
		Address: "127.0.0.7", CA: ca, Names: []string{"postgres-rw.storage.svc"}, MaxConnections: 30,
		Databases: []Database{{Name: "identity", Owner: "iris", Password: password}, {Name: "sta ge", Owner: "iris", Password: password}},
	})
	assert.Equal(t, "127.0.0.7", s.Host)

	t.Run("the owner comes in over verified TLS", func(t *testing.T) {
		for _, host := range []string{"postgres-rw.storage.svc", s.Host} {
			conn, err := client(t, s, host, "identity", password, "verify-full", ca)
			require.NoError(t, err, host)
			var user, version string
			row := conn.QueryRow(t.Context(), "SELECT current_user, version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
			require.NoError(t, row.Scan(&user, &version))
			assert.Equal(t, "iris", user)
			assert.Regexp(t, `^TLSv1\.[23]$`, version)
			_, err = conn.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS realm (name text, note text); TRUNCATE realm; INSERT INTO realm VALUES ('rover', NULL)")
			require.NoError(t, err, "its database is its own")
		}
		assert.Equal(t, [][]string{{"rover", ""}}, s.Query(t, "identity", "SELECT 1; SELECT name, note FROM realm"))
		assert.Empty(t, s.Query(t, "sta ge", "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
	})

	t.Run("nobody else", func(t *testing.T) {
		for name, c := range map[string]struct {
			host, database, password, sslmode string
			ca                                verify.CA
			says                              string
		}{
			"wrong password": {s.Host, "identity", "guess", "verify-full", ca, `password authentication failed for user "iris"`},
			"no TLS":         {s.Host, "identity", password, "disable", ca, "no encryption"},
			"foreign CA":     {s.Host, "identity", password, "verify-full", foreign, "certificate signed by unknown authority"},
			"other name":     {"elsewhere", "identity", password, "verify-full", ca, "not elsewhere"},
		} {
			_, err := client(t, s, c.host, c.database, c.password, c.sslmode, c.ca)
			assert.ErrorContains(t, err, c.says, name)
		}
	})

	t.Run("as many sessions as it is told", func(t *testing.T) {
		assert.Equal(t, [][]string{{"30"}}, s.Query(t, "postgres", "SHOW max_connections"))
	})

	t.Run("stopped and started again", func(t *testing.T) {
		conn, err := client(t, s, s.Host, "identity", password, "verify-full", ca)
		require.NoError(t, err)
		s.Stop(t)
		assert.Error(t, conn.Ping(t.Context()), "sessions end")
		_, err = client(t, s, s.Host, "identity", password, "verify-full", ca)
		assert.ErrorContains(t, err, "connection refused")
		port, start := s.Port, time.Now()
		s.Restart(t)
		assert.Less(t, time.Since(start), patience)
		assert.Equal(t, port, s.Port)
		conn, err = client(t, s, s.Host, "identity", password, "verify-full", ca)
		require.NoError(t, err)
		var name string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT name FROM realm").Scan(&name))
		assert.Equal(t, "rover", name)
	})
}
