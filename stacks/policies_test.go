package stacks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/aws/awstest"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

// everywhere are the statements that name all resources, because AWS has no other way, with the reason.
var everywhere = map[string]string{
	"cluster-autoscaler policy See": "the actions that describe groups, instances and templates have no resources",
}

// Of everything that stacks make in AWS no policy allows all actions, of a service or at all, and only those that are
// listed name all resources. Who may assume a role is tested with each component.
func TestPoliciesOfAWS(t *testing.T) {
	used := map[string]bool{}
	documents := 0
	for name, c := range map[string]graph.Configuration{"prod": stackFile("prod"), "managed": managed} {
		for _, r := range graph.Run(t, c).All {
			if !strings.HasPrefix(r.Kind, "aws:") {
				continue
			}
			assert.Empty(t, awstest.Problems(r.Kind, r.Inputs), "%s: %s", name, r.Name)
			for _, property := range []string{"policy", "assumeRolePolicy"} {
				if text, is := r.Inputs.Mappable()[property].(string); is {
					documents++
					checkPolicy(t, r.Name+" "+property, text, used)
				}
			}
		}
	}
	assert.Greater(t, documents, 10)
	for what := range everywhere {
		assert.True(t, used[what], "%s is listed for nothing", what)
	}
}

func checkPolicy(t *testing.T, what, text string, used map[string]bool) {
	t.Helper()
	var policy struct{ Statement []aws.Statement }
	require.NoError(t, json.Unmarshal([]byte(text), &policy), what)
	require.NotEmpty(t, policy.Statement, what)
	for _, s := range policy.Statement {
		if s.Effect != "Allow" {
			continue
		}
		for _, action := range s.Action {
			assert.NotContains(t, action, "*", "%s %s", what, s.Sid)
		}
		for _, resource := range s.Resource {
			if strings.Trim(resource, "*") == "" {
				assert.Contains(t, everywhere, what+" "+s.Sid)
				used[what+" "+s.Sid] = true
			}
		}
		for _, principals := range s.Principal {
			assert.NotContains(t, principals, "*", "%s %s", what, s.Sid)
		}
	}
}
