package process

import (
	"regexp"
	"slices"
	"strings"
)

// rewriter turns texts of a container into texts of this machine: first the replacements, then the paths of mounts.
// Its own results are never looked at again, so a directory may contain what else would be replaced.
type rewriter struct {
	replace *strings.Replacer
	mounts  []mount // longest path first
}

// mount is a directory or file that the container sees at path.
type mount struct{ path, local string }

func newRewriter(replace []string, mounts []mount) *rewriter {
	mounts = slices.Clone(mounts)
	slices.SortStableFunc(mounts, func(a, b mount) int { return len(b.path) - len(a.path) })
	return &rewriter{replace: strings.NewReplacer(replace...), mounts: mounts}
}

func (r *rewriter) rewrite(text string) string {
	return r.paths(r.replace.Replace(text))
}

// paths replaces whole paths: /data is one in "--dir=/data/x", but neither in "/var/data" nor in "/database".
func (r *rewriter) paths(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if m := r.at(text, i); m != nil {
			out.WriteString(m.local)
			i += len(m.path)
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}

// at returns the mount whose path stands at index i of the text.
func (r *rewriter) at(text string, i int) *mount {
	if text[i] != '/' || i > 0 && inPath(text[i-1]) {
		return nil
	}
	for n, m := range r.mounts {
		if rest, found := strings.CutPrefix(text[i:], m.path); found && (rest == "" || rest[0] == '/' || !inPath(rest[0])) {
			return &r.mounts[n]
		}
	}
	return nil
}

// inPath reports whether a byte next to a path would belong to it.
func inPath(b byte) bool {
	return b == '/' || b == '.' || b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

// reference is $(NAME), or $$ for a dollar sign that starts none.
var reference = regexp.MustCompile(`\$\$|\$\([-._a-zA-Z][-._a-zA-Z0-9]*\)`)

// expand replaces references to variables as a kubelet does: one that does not exist stays as it is.
func expand(text string, value func(string) (string, bool)) string {
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		if match == "$$" {
			return "$"
		}
		if v, found := value(match[2 : len(match)-1]); found {
			return v
		}
		return match
	})
}
