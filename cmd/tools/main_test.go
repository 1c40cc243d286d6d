package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"fetch"}, {"path"}, {"path", "etcd", "kwok"}, {"list", "etcd"}, {"clean", "etcd"}, {"build", "--json"}, {"list", "--all"}, {"build", "--all", "etcd"}, {"list", "--yaml"},
	} {
		var out bytes.Buffer
		assert.ErrorIs(t, run(t.Context(), args, &out), errUsage, "%q", args)
		assert.Empty(t, out.String())
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}, {"build", "--help"}} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), args, &out))
		assert.Equal(t, usage, out.String())
	}
}

func TestUnknownToolIsAFailure(t *testing.T) {
	for _, command := range []string{"build", "path"} {
		err := run(t.Context(), []string{command, "kubelet"}, &bytes.Buffer{})
		assert.ErrorContains(t, err, `unknown tool "kubelet": did you mean`)
		assert.NotErrorIs(t, err, errUsage)
	}
}

func TestListAsJSON(t *testing.T) {
	t.Setenv("PLATFORM_TOOLS_CACHE", t.TempDir())
	t.Setenv("PLATFORM_PULUMI", "build")
	for _, args := range [][]string{{"list", "--json"}, {"--json", "list"}} {
		var out bytes.Buffer
		require.NoError(t, run(t.Context(), args, &out))
		var all []map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &all))
		versions := map[any]any{}
		for _, tool := range all {
			if tool["group"] != "debian" { // the machine may have those
				assert.Equal(t, false, tool["ready"], "the cache is empty")
			}
			versions[tool["name"]] = tool["version"]
		}
		assert.Equal(t, "v1.31.4", versions["kube-apiserver"])
		assert.Contains(t, versions, "pulumi")
	}
}
