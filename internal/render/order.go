package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// graph says which components wait for which.
type graph struct {
	waits map[string]map[string]bool
	// with are the components that have a directory.
	with map[string]bool
}

// order finds out of what resources wait for in which order the components can be applied.
func order(s Stack) ([]Component, error) {
	g := newGraph(s)
	var all []Component
	for _, name := range slices.Sorted(maps.Keys(g.waits)) {
		wave, err := g.depth(name, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, Component{Name: name, Wave: wave, After: g.nearest(name)})
	}
	slices.SortStableFunc(all, func(a, b Component) int { return cmp.Compare(a.Wave, b.Wave) })
	return all, nil
}

func newGraph(s Stack) graph {
	of, g := map[string]string{}, graph{waits: map[string]map[string]bool{}, with: map[string]bool{}}
	for _, r := range s.Resources {
		name := directory(r)
		of[r.URN], g.waits[name] = name, map[string]bool{}
		// Definitions come before everything else, whosever they are.
		if strings.HasPrefix(r.Type, "kubernetes:") && !strings.HasSuffix(r.Type, ":CustomResourceDefinition") {
			g.with[name] = true
		}
	}
	for _, r := range s.Resources {
		for _, need := range s.Needs[r.URN] {
			if before, found := of[need]; found && before != of[r.URN] && before != unassigned && of[r.URN] != unassigned {
				g.waits[of[r.URN]][before] = true
			}
		}
	}
	return g
}

// depth is how many directories at most come one after the other until this one.
func (g graph) depth(name string, path []string) (int, error) {
	if slices.Contains(path, name) {
		return 0, fmt.Errorf("components wait for each other: %s", strings.Join(append(path, name), ", "))
	}
	deepest := 0
	for _, before := range slices.Sorted(maps.Keys(g.waits[name])) {
		d, err := g.depth(before, append(slices.Clone(path), name))
		if err != nil {
			return 0, err
		}
		deepest = max(deepest, d)
	}
	if g.with[name] {
		deepest++
	}
	return deepest, nil
}

// nearest are the components that one waits for, of those with a directory, without those that others of them wait for.
func (g graph) nearest(name string) []string {
	needed := g.needed(name)
	nearest := []string{}
	for _, before := range slices.Sorted(maps.Keys(needed)) {
		implied := false
		for other := range needed {
			implied = implied || g.with[other] && g.needed(other)[before]
		}
		if g.with[before] && !implied {
			nearest = append(nearest, before)
		}
	}
	return nearest
}

// needed are all components that one waits for, at once or by others.
func (g graph) needed(name string) map[string]bool {
	all := map[string]bool{}
	for before := range g.waits[name] {
		all[before] = true
		maps.Copy(all, g.needed(before))
	}
	return all
}
