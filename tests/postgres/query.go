package postgres

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// Query runs SQL as the superuser and returns the rows of its last statement as text; NULL is "".
func (s *Server) Query(t *testing.T, database, sql string) [][]string {
	t.Helper()
	rows, err := s.query(database, sql)
	require.NoError(t, err, "query of database %s: %s", database, sql)
	return rows
}

func (s *Server) query(database, sql string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := s.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 {
		return nil, err
	}
	var rows [][]string
	for _, values := range results[len(results)-1].Rows {
		row := make([]string, len(values))
		for i, value := range values {
			row[i] = string(value)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// connect opens a session of the superuser over the socket.
func (s *Server) connect(ctx context.Context, database string) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig(fmt.Sprintf("host=%s port=%d user=%s database='%s' sslmode=disable",
		s.socket, s.Port, superuser, database))
	if err != nil {
		return nil, err
	}
	config.ConnectTimeout = 5 * time.Second
	return pgconn.ConnectConfig(ctx, config)
}

// create creates the databases and their owners.
func (s *Server) create(databases []Database) {
	s.t.Helper()
	ctx := s.t.Context()
	conn, err := s.connect(ctx, "postgres")
	require.NoError(s.t, err)
	defer conn.Close(ctx)
	owners := map[string]bool{}
	for _, d := range databases {
		owner, database := pgx.Identifier{d.Owner}.Sanitize(), pgx.Identifier{d.Name}.Sanitize()
		if !owners[d.Owner] {
			password, err := conn.EscapeString(d.Password)
			require.NoError(s.t, err)
			_, err = conn.Exec(ctx, fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", owner, password)).ReadAll()
			require.NoError(s.t, err, "role %s", d.Owner)
		}
		owners[d.Owner] = true
		_, err := conn.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s OWNER %s", database, owner)).ReadAll()
		require.NoError(s.t, err, "database %s", d.Name)
	}
}
