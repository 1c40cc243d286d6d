package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPicture looks for what a reader would: each part of the platform, and who talks to whom.
func TestPicture(t *testing.T) {
	g, err := described()
	require.NoError(t, err)
	table, err := tableOf(shown)
	require.NoError(t, err)
	drawn := picture(g, table)

	box := map[string]string{} // by namespace
	for line := range strings.Lines(drawn) {
		if id, label, isBox := strings.Cut(strings.TrimSpace(line), `["<b>`); isBox {
			namespace, _, _ := strings.Cut(label, "</b>")
			box[namespace] = id
		}
	}
	for _, r := range g.All {
		if r.Object != nil && r.Object.GetKind() == "Namespace" {
			assert.Contains(t, box, r.Object.GetName())
		}
	}
	for _, arrow := range [][2]string{
		{box["ingress"], box["identity"]}, {box["identity"], box["postgresql"]}, {box["postgresql"], box["minio"]},
		{box["controlplane-system"], box["valkey"]}, {"outside", box["ingress"]}, {"gateways", box["valkey"]},
	} {
		assert.Contains(t, drawn, "  "+arrow[0]+" --> "+arrow[1]+"\n")
	}
	assert.NotContains(t, drawn, "outside --> "+box["postgresql"])
	assert.Contains(t, drawn, "<br/>valkey-sentinels", "what runs in a namespace is named")
}

func TestAPageWithoutAPlaceForThePicture(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, picturePage), []byte("no lines\n"), 0o600))
	_, err := withPicture(root)
	assert.ErrorContains(t, err, "the page has not both lines between which the picture belongs")
}
