package keycloak

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// values are properties, or a representation of Keycloak's, as JSON has them.
type values = map[string]any

// form is what a property holds.
type form int

const (
	text form = iota
	flag
	number
	seconds // a duration such as "5m", which Keycloak has as a number
	set     // texts in no order
	dict    // texts by name, of which only those matter that a program names
	group   // properties of its own
)

func (f form) String() string {
	return [...]string{"a text", "true or false", "a whole number", `a duration in whole seconds, such as "5m"`,
		"a list of texts", "an object of texts", "an object"}[f]
}

// property is one property of a type.
type property struct {
	name string
	form form
	// field is its place in the representation; a slash leads into an object. Empty: the representation does not have
	// it, it says where the resource is.
	field string
	// required must be given; immutable makes another resource when it changes; computed is the server's choice unless
	// it is given; output cannot be given; secret is never shown.
	required, immutable, computed, output, secret bool
	// quoted are flags and numbers that the representation has as texts; joined is what stands between the texts of a
	// set that it has as one.
	quoted bool
	joined string
	// fallback is what not being given means; nil: an empty text, false, 0, nothing.
	fallback any
	// parts are the properties of a group. Its switch is the flag of the representation that says whether there is one
	// at all; empty: there always is.
	parts []property
	on    string
	// check returns what is wrong with a value of the right form.
	check func(v any) string
}

// canonical returns a value in the one form in which two of them can be compared. Nil stands for not given.
func (p property) canonical(v any) any {
	if v == nil {
		v = p.fallback
	}
	switch p.form {
	case flag:
		b, _ := v.(bool)
		return b
	case number:
		n, _ := v.(float64)
		return n
	case seconds:
		return float64(lifetime(v) / time.Second)
	case set:
		return slices.Compact(slices.Sorted(slices.Values(texts(v))))
	case dict:
		d := map[string]string{}
		for key, each := range object(v) {
			d[key] = plainText(each)
		}
		return d
	case group:
		if v == nil && p.on != "" {
			return nil
		}
		all := values{}
		for _, part := range p.parts {
			all[part.name] = part.canonical(object(v)[part.name])
		}
		return all
	default:
		s, _ := v.(string)
		return s
	}
}

// same says whether two values mean the same.
func (p property) same(a, b any) bool { return reflect.DeepEqual(p.canonical(a), p.canonical(b)) }

// put writes a value into a representation.
func (p property) put(v any, into values) {
	if p.field == "" && p.form != group {
		return
	}
	switch p.form {
	case group:
		if p.on != "" {
			place(into, p.on, v != nil)
		}
		for _, part := range p.parts {
			part.put(object(v)[part.name], into)
		}
	case dict:
		for key, each := range object(v) {
			place(into, p.field+"/"+key, plainText(each))
		}
	case set:
		if all := texts(p.given(v)); p.joined != "" {
			place(into, p.field, strings.Join(all, p.joined))
		} else {
			place(into, p.field, all)
		}
	default:
		wire := p.canonical(v)
		if p.quoted {
			wire = plainText(wire)
		}
		place(into, p.field, wire)
	}
}

func (p property) given(v any) any {
	if v == nil {
		return p.fallback
	}
	return v
}

// get reads a value out of a representation. Old is the value that the engine knows; it is returned when the server's
// means the same, and nothing for what nobody wants.
func (p property) get(from values, old any) any {
	v := p.read(from, old)
	if p.same(v, old) && (old != nil || !p.computed && p.fallback == nil) {
		return old
	}
	return v
}

func (p property) read(from values, old any) any {
	switch p.form {
	case group:
		if p.on != "" && look(from, p.on) != true {
			return nil
		}
		all := values{}
		for _, part := range p.parts {
			if v := part.get(from, object(old)[part.name]); v != nil {
				all[part.name] = v
			}
		}
		return all
	case dict:
		found := values{}
		for key := range object(old) {
			if s := plainText(look(from, p.field+"/"+key)); s != "" {
				found[key] = s
			}
		}
		return found
	}
	v := look(from, p.field)
	switch {
	case v == nil:
		return p.zero()
	case p.form == set && p.joined != "":
		return list(strings.Split(plainText(v), p.joined))
	case p.form == seconds:
		n, _ := v.(float64)
		return (time.Duration(n) * time.Second).String()
	case p.quoted:
		return p.unquote(plainText(v))
	}
	return v
}

// zero is what an absent field of a representation means.
func (p property) zero() any {
	switch p.form {
	case flag:
		return false
	case number:
		return 0.0
	case seconds:
		return "0s"
	case set:
		return []any{}
	default:
		return ""
	}
}

func (p property) unquote(s string) any {
	switch p.form {
	case flag:
		return s == "true"
	case number:
		n, _ := strconv.ParseFloat(s, 64)
		return n
	default:
		return s
	}
}

// wrong returns what is wrong with a value, by the path of the property.
func (p property) wrong(path string, v any, found map[string]string) {
	if !p.fits(v) {
		found[path] = "want " + p.form.String()
		return
	}
	switch p.form {
	case group:
		problems(path+".", p.parts, object(v), found)
	default:
		if p.check != nil {
			if problem := p.check(v); problem != "" {
				found[path] = problem
			}
		}
	}
}

// fits says whether a value has the property's form; what is not known yet is not there.
func (p property) fits(v any) bool {
	switch p.form {
	case text:
		_, ok := v.(string)
		return ok
	case flag:
		_, ok := v.(bool)
		return ok
	case number:
		n, ok := v.(float64)
		return ok && n == math.Trunc(n)
	case seconds:
		s, _ := v.(string)
		d, err := time.ParseDuration(s)
		return err == nil && d >= 0 && d == d.Truncate(time.Second)
	case set:
		all, ok := v.([]any)
		return ok && len(texts(v)) == len(all)
	case dict:
		d, ok := v.(values)
		for _, each := range d {
			switch each.(type) {
			case string, bool, float64:
			default:
				ok = false
			}
		}
		return ok
	default:
		_, ok := v.(values)
		return ok
	}
}

// problems adds what is wrong with properties: unknown, missing, or of another form.
func problems(path string, properties []property, in values, found map[string]string) {
	known := map[string]property{}
	for _, p := range properties {
		known[p.name] = p
		if v, given := in[p.name]; p.required && (!given || v == "") {
			found[path+p.name] = "is required"
		}
	}
	for name, v := range in {
		p, ok := known[name]
		switch {
		case !ok:
			found[path+name] = fmt.Sprintf("the built-in keycloak plugin does not have this property; it has %q "+
				"(use the published plugins for others)", inputNames(properties))
		case p.output:
			found[path+name] = "is the server's to say; remove it"
		case v != nil:
			p.wrong(path+name, v, found)
		}
	}
}

func inputNames(properties []property) (names []string) {
	for _, p := range properties {
		if !p.output {
			names = append(names, p.name)
		}
	}
	slices.Sort(names)
	return names
}

// oneOf is a check of a text.
func oneOf(allowed ...string) func(any) string {
	return func(v any) string {
		if slices.Contains(allowed, v.(string)) {
			return ""
		}
		return fmt.Sprintf("is %q; want one of %q", v, allowed)
	}
}

// count is a check of a text that Keycloak reads as a number of seconds.
func count(v any) string {
	if _, err := strconv.Atoi(v.(string)); err != nil && v != "" {
		return fmt.Sprintf(`is %q; want a number of seconds, such as "300"`, v)
	}
	return ""
}

// look returns what is at a place of a representation.
func look(from values, field string) any {
	object, rest, nested := strings.Cut(field, "/")
	if !nested {
		return from[field]
	}
	inner, _ := from[object].(values)
	return inner[rest]
}

func place(into values, field string, v any) {
	object, rest, nested := strings.Cut(field, "/")
	if !nested {
		into[field] = v
		return
	}
	inner, ok := into[object].(values)
	if !ok {
		inner = values{}
		into[object] = inner
	}
	inner[rest] = v
}

func lifetime(v any) time.Duration {
	s, _ := v.(string)
	d, _ := time.ParseDuration(s)
	return d
}

func object(v any) values {
	o, _ := v.(values)
	return o
}

// texts returns the texts of a list.
func texts(v any) []string {
	all := []string{}
	switch l := v.(type) {
	case []string:
		all = l
	case []any:
		for _, each := range l {
			if s, ok := each.(string); ok {
				all = append(all, s)
			}
		}
	}
	return all
}

func list(all []string) []any {
	l := []any{}
	for _, s := range all {
		if s != "" {
			l = append(l, s)
		}
	}
	return l
}

// plainText is a scalar as Keycloak writes it into a text.
func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	default:
		return ""
	}
}

func merged(layers ...values) values {
	all := values{}
	for _, layer := range layers {
		maps.Copy(all, layer)
	}
	return all
}
