package keycloak

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// After a run that was killed, what exists under the same name is taken over as it is wanted now.
func TestWhatAKilledRunHasMadeIsTakenOver(t *testing.T) {
	t.Parallel()
	interrupted := false
	c := connect(t, Options{Memory: &Memory{}, Adopt: func() bool { return interrupted }}, values{"url": "http://localhost:1"})
	realm, _ := c.realm(values{"displayName": "before"})
	client := c.create("Client", values{"realmId": realm, "clientId": "rover", "accessType": "CONFIDENTIAL"})
	scope := c.create("ClientScope", values{"realmId": realm, "name": "scope"})

	wanted := values{"realm": realm, "displayName": "after"}
	_, err := c.attempt("Realm", wanted)
	require.ErrorContains(t, err, "already exists", "not without having been told to")

	interrupted = true
	again := c.create("Realm", wanted)
	assert.Equal(t, "after", again.properties()["displayName"])
	assert.Equal(t, client.id, c.create("Client", values{"realmId": realm, "clientId": "rover", "accessType": "CONFIDENTIAL"}).id)
	assert.Equal(t, scope.id, c.create("ClientScope", values{"realmId": realm, "name": "scope"}).id)
}
