package preflight_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/rest"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
)

// apiServer answers for a version of Kubernetes, whose objects are none, to somebody who may do everything.
func apiServer(t *testing.T, version string) *rest.Config {
	t.Helper()
	answer := func(w http.ResponseWriter, value any) {
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(value))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/version":
			answer(w, map[string]string{"gitVersion": version})
		case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
			review := authorizationv1.SelfSubjectAccessReview{Status: authorizationv1.SubjectAccessReviewStatus{Allowed: true}}
			review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SelfSubjectAccessReview"
			answer(w, review)
		default:
			answer(w, map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
		}
	}))
	t.Cleanup(server.Close)
	return &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]preflight.Severity{
		"v1.30.14":            preflight.Error,
		"v1.31.0":             "",
		"v1.31.4-eks-45835fd": "",
		"v1.35.1+k3s1":        "",
		"v1.37.2":             "",
		"v1.38.0":             preflight.Warning,
		"v1.38.0-alpha.1":     preflight.Warning,
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			findings, err := preflight.Check(t.Context(), apiServer(t, version), preflight.Needs{IngressClass: "traefik"})
			require.NoError(t, err)
			if want == "" {
				assert.Empty(t, findings)
				return
			}
			require.Len(t, findings, 1)
			assert.Equal(t, want, findings[0].Severity)
			assert.Equal(t, "Kubernetes "+version, findings[0].Found)
		})
	}
}

// K3s enforces network policies by itself, which no DaemonSet shows.
func TestNetworkPolicies(t *testing.T) {
	t.Parallel()
	needs := preflight.Needs{IngressClass: "traefik", NetworkPolicies: true}
	findings, err := preflight.Check(t.Context(), apiServer(t, "v1.35.1+k3s1"), needs)
	require.NoError(t, err)
	assert.Empty(t, findings)
	findings, err = preflight.Check(t.Context(), apiServer(t, "v1.35.1"), needs)
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, "network policies", findings[0].Check)
	assert.Equal(t, preflight.Warning, findings[0].Severity, "no API tells for sure")
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	_, err := preflight.Check(t.Context(), &rest.Config{Host: "https://127.0.0.1:1"}, preflight.Needs{})
	assert.ErrorContains(t, err, "the cluster at https://127.0.0.1:1 cannot be reached: ")
}

func TestCredentialsThatAreRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}`, http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	_, err := preflight.Require(t.Context(), &rest.Config{Host: server.URL}, preflight.Needs{})
	assert.ErrorContains(t, err, "does not accept the credentials of the kubeconfig")
}
