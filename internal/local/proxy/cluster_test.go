package proxy

import (
	"testing"

	"github.com/stretchr/testify/assert"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"
)

func TestHostMatches(t *testing.T) {
	for _, c := range []struct {
		rule, host string
		want       bool
	}{
		{"", "any.example.test", true},
		{"a.example.test", "a.example.test", true},
		{"a.example.test", "b.example.test", false},
		{"*.example.test", "a.example.test", true},
		{"*.example.test", "a.b.example.test", false},
		{"*.example.test", "example.test", false},
	} {
		assert.Equal(t, c.want, hostMatches(c.rule, c.host), "%s for %s", c.rule, c.host)
	}
}

func TestPathMatches(t *testing.T) {
	for _, c := range []struct {
		kind       networkingv1.PathType
		rule, path string
		want       bool
	}{
		{networkingv1.PathTypeExact, "/foo", "/foo", true},
		{networkingv1.PathTypeExact, "/foo", "/foo/", false},
		{networkingv1.PathTypePrefix, "/", "/any/thing", true},
		{networkingv1.PathTypePrefix, "/foo", "/foo", true},
		{networkingv1.PathTypePrefix, "/foo", "/foo/bar", true},
		{networkingv1.PathTypePrefix, "/foo/", "/foo", true},
		{networkingv1.PathTypePrefix, "/foo", "/foobar", false},
		{networkingv1.PathTypeImplementationSpecific, "", "/any", true},
	} {
		rule := &networkingv1.HTTPIngressPath{Path: c.rule, PathType: ptr.To(c.kind)}
		assert.Equal(t, c.want, pathMatches(rule, c.path), "%s %s for %s", c.kind, c.rule, c.path)
	}
}

func TestExactPathIsPreferredThenTheLongest(t *testing.T) {
	path := func(kind networkingv1.PathType, path string) *networkingv1.HTTPIngressPath {
		return &networkingv1.HTTPIngressPath{Path: path, PathType: &kind}
	}
	assert.True(t, better(path(networkingv1.PathTypePrefix, "/"), nil))
	assert.True(t, better(path(networkingv1.PathTypeExact, "/a"), path(networkingv1.PathTypePrefix, "/a/b/c")))
	assert.False(t, better(path(networkingv1.PathTypePrefix, "/a/b/c"), path(networkingv1.PathTypeExact, "/a")))
	assert.True(t, better(path(networkingv1.PathTypePrefix, "/a/b"), path(networkingv1.PathTypePrefix, "/a")))
}

func TestLastLines(t *testing.T) {
	assert.Equal(t, "b\nc\n", string(lastLines([]byte("a\nb\nc\n"), 2)))
	assert.Equal(t, "b\nc", string(lastLines([]byte("a\nb\nc"), 2)))
	assert.Equal(t, "a\n", string(lastLines([]byte("a\n"), 9)))
	assert.Empty(t, lastLines([]byte("a\n"), 0))
}
