package policy

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// plainSecret looks for values that must be secret and are not: in Secrets by where they are, elsewhere by what they look
// like or what they are called.
func plainSecret(_ *stack, r *resource) []breach {
	var found []breach
	if r.kind() == "CustomResourceDefinition" {
		return nil // it explains with examples, and has no values
	}
	if r.is("Secret") {
		found = append(found, secretData(r, "data")...)
		found = append(found, secretData(r, "stringData")...)
	}
	visit(r.Inputs, "", func(path, value string) {
		if what := looksSecret(value); what != "" {
			found = append(found, breach{path, fmt.Sprintf("%s holds %s in plain text", path, what)})
		}
	})
	for path, value := range r.named() {
		if isLiteral(value) {
			found = append(found, breach{path, fmt.Sprintf("%s has a plain value: a password, key or token must be secret, and reach pods by reference", path)})
		}
	}
	slices.SortFunc(found, func(a, b breach) int { return strings.Compare(a.message, b.message) })
	return slices.Compact(found)
}

// secretData are the values of a Secret that the engine takes for public.
func secretData(r *resource, field string) []breach {
	switch data := r.Inputs[field].(type) {
	case map[string]any:
		var found []breach
		for key, value := range data {
			if value != planned.Secret {
				found = append(found, breach{field + "." + key, fmt.Sprintf("%s.%s is not secret to the engine", field, key)})
			}
		}
		return found
	case nil:
		return nil
	default:
		if data == planned.Secret {
			return nil
		}
		return []breach{{field, field + " is not secret to the engine"}}
	}
}

// patterns are what secrets look like, whatever they are called.
var patterns = []struct {
	what   string
	hint   string
	looks  *regexp.Regexp
	except *regexp.Regexp
}{
	{"a private key", "PRIVATE KEY", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`), nil},
	{
		"a password in an address", "://", regexp.MustCompile(`://[^\s/:@"'` + "`" + `]*:[^\s/:@"'` + "`" + `]+@`),
		regexp.MustCompile(`://[^\s/:@]*:[$%{<\[][^\s/:@]*@`), // a placeholder
	},
	{"an access key of AWS", "A", regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`), nil},
	{"a token", "eyJ", regexp.MustCompile(`\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+`), nil},
}

func looksSecret(value string) string {
	for _, text := range []string{value, decoded(value)} {
		for _, p := range patterns {
			if !strings.Contains(text, p.hint) {
				continue
			}
			for _, match := range p.looks.FindAllString(text, -1) {
				if p.except == nil || !p.except.MatchString(match) {
					return p.what
				}
			}
		}
	}
	return ""
}

// decoded is the text that is encoded in base64, as in a Secret or a caBundle, or nothing.
func decoded(value string) string {
	if len(value) < 24 || len(value)%4 != 0 {
		return ""
	}
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return ""
	}
	return string(data)
}

// secretName is what values are called that must be secret.
var secretName = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|token|api[-_.]?key|(private|secret|access|encryption|signing)[-_.]?key|credential|(client|shared|^|[-_.])secret)$`)

// assignment is a line of a configuration file, or an argument of a command, that gives something a value.
var assignment = regexp.MustCompile(`^\s*(?:export\s+|set\s+)?-{0,2}["']?([\w.-]+)["']?\s*[:=]\s*(\S.*?)\s*$`)

// named are the values whose names say that they are secret, by what they are: environment variables, arguments,
// annotations, files of ConfigMaps, and the properties of everything that is no Kubernetes object.
func (r *resource) named() map[string]string {
	found := map[string]string{}
	add := func(where, name, value string) {
		if secretName.MatchString(name) {
			found[where+name] = value
		}
	}
	lines := func(where, text string) {
		for line := range strings.Lines(text) {
			if parts := assignment.FindStringSubmatch(line); parts != nil {
				add(where, parts[1], strings.Trim(parts[2], `"',;`))
			}
		}
	}
	if r.object == nil {
		visit(r.Inputs, "", func(path, value string) { add("", path, value) })
		return found
	}
	for name, value := range r.object.GetAnnotations() {
		// Many name the Secret that something is in.
		if !strings.HasSuffix(strings.ToLower(name), "secret") {
			add("annotation ", name, value)
		}
	}
	if r.is("ConfigMap") {
		data, _ := r.Inputs["data"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(data)) {
			value, _ := data[name].(string)
			add("data.", name, value)
			lines("data."+name+": ", value)
		}
	}
	if r.pods != nil {
		for _, c := range r.pods.containers() {
			for _, variable := range c.Env {
				add("container "+c.Name+": variable ", variable.Name, variable.Value)
			}
			for _, argument := range slices.Concat(c.Command, c.Args) {
				lines("container "+c.Name+": argument ", argument)
			}
		}
	}
	return found
}

// harmless are values that tell no secret: a path, a switch, a number, a duration, or a reference to something else, as
// the notations of shells, Kubernetes, Grafana and Go templates have it.
var harmless = regexp.MustCompile(`^(?:|\d+(\.\d+)?[a-z]{0,2}|(?i:true|false|null|none|yes|no|on|off|required|optional)|/.*|\w+:/.*|.*\$[({\w].*|.*\{\{.*|.*<[^>]+>.*|\[.*|\{.*)$`)

func isLiteral(value string) bool {
	return value != planned.Secret && value != planned.Unknown && !harmless.MatchString(strings.TrimSpace(value))
}

// visit calls back for every string, with its path.
func visit(value any, path string, see func(path, value string)) {
	switch value := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			visit(value[key], strings.TrimPrefix(path+"."+key, "."), see)
		}
	case []any:
		for i, item := range value {
			visit(item, fmt.Sprintf("%s[%d]", path, i), see)
		}
	case string:
		see(path, value)
	}
}
