package config

import (
	"reflect"
	"strconv"
	"strings"
)

// fill puts the defaults of a struct type, which its tags state, into a map of
// its JSON form. Optional objects (pointers) get theirs only when they are
// there.
func fill(t reflect.Type, values map[string]any) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if isGroup(field.Type) {
			group, ok := values[name].(map[string]any)
			if !ok {
				group = map[string]any{}
				values[name] = group
			}
			fill(field.Type, group)
			fillNested(field.Tag.Get("defaults"), group)
			continue
		}
		if group, ok := values[name].(map[string]any); ok && field.Type.Kind() == reflect.Pointer {
			fill(field.Type.Elem(), group)
			fillNested(field.Tag.Get("defaults"), group)
			continue
		}
		if items, ok := values[name].([]any); ok && field.Type.Kind() == reflect.Slice && isGroup(field.Type.Elem()) {
			for _, item := range items {
				fill(field.Type.Elem(), item.(map[string]any)) // the schema has let nothing else pass
			}
			continue
		}
		if text, ok := TagDefault(field.Tag); ok && values[name] == nil {
			values[name] = typed(field.Type, text)
		}
	}
}

// isGroup says whether a type is a struct of further keys, not a value.
func isGroup(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[Quantity]()
}

// TagDefault returns the default that a field's tag states.
func TagDefault(tag reflect.StructTag) (string, bool) {
	for _, part := range strings.Split(tag.Get("jsonschema"), ",") {
		if text, ok := strings.CutPrefix(part, "default="); ok {
			return text, true
		}
	}
	return "", false
}

// NestedDefaults returns the defaults that a field's tag `defaults` states for
// keys further down, by dotted path.
func NestedDefaults(tag string) map[string]string {
	defaults := map[string]string{}
	for _, part := range strings.Split(tag, ",") {
		if path, text, ok := strings.Cut(part, "="); ok {
			defaults[path] = text
		}
	}
	return defaults
}

func fillNested(tag string, values map[string]any) {
	for path, text := range NestedDefaults(tag) {
		group := values
		keys := strings.Split(path, ".")
		for _, key := range keys[:len(keys)-1] {
			group = group[key].(map[string]any) // fill has just made it
		}
		if last := keys[len(keys)-1]; group[last] == nil {
			group[last] = text
		}
	}
}

func typed(t reflect.Type, text string) any {
	switch t.Kind() {
	case reflect.Bool:
		return text == "true"
	case reflect.Int:
		n, _ := strconv.Atoi(text) // a default that is no number fails the tests
		return n
	}
	return text
}

// replicas derives a number from the availability where none is given.
func (c *Config) replicas(n *int, zonal int) {
	if *n == 0 {
		*n = 1
		if c.Availability == Zonal {
			*n = zonal
		}
	}
}

// derive fills in what follows from other values.
func (c *Config) derive() {
	c.deriveCluster()
	c.deriveMonitoring() // before the databases, of which it may need one
	c.deriveCertTrust()
	c.derivePostgreSQL()
	c.deriveCache()
	c.deriveManaged()
	c.deriveObjectStorage()
	c.deriveIdentity()
	c.deriveNetwork()
}

func (c *Config) deriveCertTrust() {
	c.replicas(&c.CertTrust.CertManager.ControllerReplicas, 2)
	// The API server asks the webhook on every write, so a rolling node drain
	// must leave more than one.
	c.replicas(&c.CertTrust.CertManager.WebhookReplicas, 3)
	c.replicas(&c.CertTrust.CertManager.CAInjectorReplicas, 2)
	c.replicas(&c.CertTrust.TrustManager.Replicas, 2)

	ca := &c.CertTrust.PlatformCA
	if ca.SelfSigned != nil && ca.SelfSigned.PrivateKey.Size == 0 {
		ca.SelfSigned.PrivateKey.Size = map[KeyAlgorithm]int{ECDSA: 384, RSA: 4096}[ca.SelfSigned.PrivateKey.Algorithm]
	}
}
