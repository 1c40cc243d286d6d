package proxy

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/util/cert"
)

// A start that fails between Listen and Serve leaves no socket behind.
func TestCloseWithoutServe(t *testing.T) {
	dir, err := os.MkdirTemp("", "proxy-") // short enough for a socket's path
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	certificate, key, err := cert.GenerateSelfSignedCertKey("authority", nil, nil)
	require.NoError(t, err)
	c := Config{
		EgressSocket: filepath.Join(dir, "egress.sock"), CACert: filepath.Join(dir, "crt"), CAKey: filepath.Join(dir, "key"),
	}
	c.KubeletCACert, c.KubeletCAKey = c.CACert, c.CAKey
	require.NoError(t, os.WriteFile(c.CACert, certificate, 0o600))
	require.NoError(t, os.WriteFile(c.CAKey, key, 0o600))
	p, err := Listen(c)
	require.NoError(t, err)
	_, err = net.Listen("tcp", p.http.Addr().String())
	require.Error(t, err, "the proxy has it")

	p.Close()
	assert.NoFileExists(t, c.EgressSocket)
	http, err := net.Listen("tcp", p.http.Addr().String())
	require.NoError(t, err)
	assert.NoError(t, http.Close())
	names, err := net.ListenPacket("udp", p.NameServer())
	require.NoError(t, err)
	assert.NoError(t, names.Close())
}
