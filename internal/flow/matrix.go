package flow

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// This file has the table in words, for people. docs/network-policies.md is made of it.

// Markdown is the table as Markdown: a section for each namespace, headed at the given level, with the flows that end
// there, and those that leave it for what is not the platform's.
func (t Table) Markdown(level int) string {
	sections := map[string][]Flow{}
	for _, f := range t.Flows {
		sections[f.section()] = append(sections[f.section()], f)
	}
	var b strings.Builder
	for _, namespace := range slices.Sorted(maps.Keys(sections)) {
		fmt.Fprintf(&b, "\n%s `%s`\n\n%s", strings.Repeat("#", level), namespace, rows(sections[namespace]))
	}
	return b.String()
}

// section is the namespace that the flow is explained under.
func (f Flow) section() string { return cmp.Or(f.To.Namespace, f.From.Namespace) }

// rows are flows as a table of Markdown.
func rows(flows []Flow) string {
	var b strings.Builder
	b.WriteString("| flow | from | to | ports | why |\n|---|---|---|---|---|\n")
	for _, f := range flows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", f.Name, f.From.Words(), f.To.Words(), f.portWords(), f.Why)
	}
	return b.String()
}

// Words say who a peer is.
func (p Peer) Words() string {
	switch {
	case p.Everywhere && p.Name != "":
		return p.Name + " (any address)"
	case p.Everywhere:
		return "any address"
	case len(p.CIDRs) > 0:
		return named(p.Name, quoted(p.CIDRs))
	}
	where := "any namespace"
	if p.Namespace != "" {
		where = "`" + p.Namespace + "`"
	} else if len(p.NamespaceLabels) > 0 {
		where = "namespaces with " + selector(p.NamespaceLabels)
	}
	if len(p.Pods) == 0 {
		return named(p.Name, "any pod in "+where)
	}
	return named(p.Name, p.pods()+" in "+where)
}

// pods is a name made of labels: their values, what an application is called first and its parts after it. A value that
// only says yes is left out for its key.
func (p Peer) pods() string {
	last := func(key string) string { return key[strings.LastIndex(key, "/")+1:] }
	rank := func(key string) int { // those that are not in the list come last
		return -slices.Index([]string{"cluster", "instance", "app", "name"}, last(key))
	}
	var words []string
	for _, key := range slices.SortedFunc(maps.Keys(p.Pods), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	}) {
		word := p.Pods[key]
		if word == "true" || word == "enabled" {
			word = last(key)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// Legend is a table of Markdown that has the labels of all pods that the flows name.
func (t Table) Legend() string {
	legend := map[string]string{}
	for _, f := range t.Flows {
		for _, p := range []Peer{f.From, f.To} {
			if len(p.Pods) > 0 && p.Namespace != "" {
				legend[fmt.Sprintf("%s in `%s`", p.pods(), p.Namespace)] = selector(p.Pods)
			}
		}
	}
	var b strings.Builder
	b.WriteString("| pods | labels |\n|---|---|\n")
	for _, pods := range slices.Sorted(maps.Keys(legend)) {
		fmt.Fprintf(&b, "| %s | %s |\n", pods, legend[pods])
	}
	return b.String()
}

func named(name, words string) string {
	if name == "" {
		return words
	}
	return name + " (" + words + ")"
}

func selector(labels map[string]string) string {
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, key+"="+labels[key])
	}
	return quoted(pairs)
}

func quoted(words []string) string { return "`" + strings.Join(words, "`, `") + "`" }

func (f Flow) portWords() string {
	if len(f.Ports)+len(f.UDPPorts) == 0 {
		return "every port"
	}
	return strings.Join(f.portNames(), ", ")
}

// portNames leave out that a port is TCP's, which most are.
func (f Flow) portNames() []string {
	var names []string
	for _, port := range f.Ports {
		names = append(names, strconv.Itoa(port))
	}
	for _, port := range f.UDPPorts {
		names = append(names, strconv.Itoa(port)+"/UDP")
	}
	return names
}

// Diagram draws who talks to whom, as Mermaid does: a box for each namespace and for each peer that is not in one, and an
// arrow for the ports between two of them. Flows inside of one box are left out.
func (t Table) Diagram() string {
	type edge struct{ from, to string }
	ports := map[edge][]string{}
	boxes := map[string]string{} // names by what is in them
	box := func(p Peer) string {
		name := p.box()
		if boxes[name] == "" {
			boxes[name] = fmt.Sprintf("n%d", len(boxes)+1)
		}
		return name
	}
	for _, f := range t.Flows {
		e := edge{box(f.From), box(f.To)}
		names := f.portNames()
		if len(names) == 0 {
			names = []string{"every port"}
		}
		if e.from != e.to {
			ports[e] = append(ports[e], names...)
		}
	}
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for _, name := range slices.Sorted(maps.Keys(boxes)) {
		fmt.Fprintf(&b, "  %s[\"%s\"]\n", boxes[name], name)
	}
	for _, e := range slices.SortedFunc(maps.Keys(ports), func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	}) {
		fmt.Fprintf(&b, "  %s -- \"%s\" --> %s\n", boxes[e.from], strings.Join(distinct(ports[e]), ", "), boxes[e.to])
	}
	return b.String()
}

// box is what a peer is drawn in.
func (p Peer) box() string {
	switch {
	case p.Namespace != "":
		return p.Namespace
	case p.Name != "":
		return p.Name
	}
	return strings.ReplaceAll(p.Words(), "`", "")
}

// distinct are names in the order of their numbers, each once.
func distinct(names []string) []string {
	number := func(name string) int {
		digits, _, _ := strings.Cut(name, "/")
		n, _ := strconv.Atoi(digits) // "every port" comes first
		return n
	}
	sorted := slices.SortedFunc(slices.Values(names), func(a, b string) int {
		return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
	})
	return slices.Compact(sorted)
}

// Changes says as Markdown how another table differs from this one.
func (t Table) Changes(other Table) string {
	mine, theirs := t.byName(), other.byName()
	var gone []string
	for _, f := range t.Flows {
		if _, found := theirs[f.Name]; !found {
			gone = append(gone, f.Name)
		}
	}
	var changed []Flow
	for _, f := range other.Flows {
		if m, found := mine[f.Name]; !found || !reflect.DeepEqual(m, f) {
			changed = append(changed, f)
		}
	}
	var b strings.Builder
	if len(gone) > 0 {
		fmt.Fprintf(&b, "\nNot there: %s.\n", quoted(gone))
	}
	if len(changed) > 0 {
		fmt.Fprintf(&b, "\nNew or different:\n\n%s", rows(changed))
	}
	if b.Len() == 0 {
		return "\nThe flows are the same.\n"
	}
	return b.String()
}

func (t Table) byName() map[string]Flow {
	flows := map[string]Flow{}
	for _, f := range t.Flows {
		flows[f.Name] = f
	}
	return flows
}
