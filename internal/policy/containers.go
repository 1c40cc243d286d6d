package policy

import (
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// resourcesSet looks for requests and limits of every container.
func resourcesSet(_ *stack, r *resource) []breach {
	if r.pods == nil {
		return nil
	}
	var found []breach
	for _, c := range r.pods.containers() {
		var missing []string
		for what, amounts := range map[string]corev1.ResourceList{"request": c.Resources.Requests, "limit": c.Resources.Limits} {
			if amounts.Cpu().IsZero() {
				missing = append(missing, what+" of CPU")
			}
			if amounts.Memory().IsZero() {
				missing = append(missing, what+" of memory")
			}
		}
		if len(missing) > 0 {
			found = append(found, breach{c.Name, fmt.Sprintf("container %s has no %s", c.Name, list(missing))})
		}
	}
	return found
}

// imageTag looks for images that may be another one tomorrow.
func imageTag(_ *stack, r *resource) []breach {
	if r.pods == nil {
		return nil
	}
	var found []breach
	for _, c := range r.pods.containers() {
		if problem := imageProblem(c.Image); problem != "" && !r.pods.unnamed[c.Name] {
			found = append(found, breach{c.Name, fmt.Sprintf("container %s: image %q %s: name a version or a digest", c.Name, c.Image, problem)})
		}
	}
	return found
}

// reference is an image: registry and repository, tag, digest.
var reference = regexp.MustCompile(`^[^\s:@]+(?::\d+/[^\s:@]+)?(?::([\w][\w.-]*))?(@sha256:[0-9a-f]{64})?$`)

func imageProblem(image string) string {
	parts := reference.FindStringSubmatch(image)
	switch {
	case image == "":
		return "is missing"
	case parts == nil:
		return "is no reference to an image"
	case parts[2] != "":
		return ""
	case parts[1] == "":
		return "has no tag"
	case parts[1] == "latest" || !strings.ContainsAny(parts[1], "0123456789"):
		return "has a tag that moves"
	}
	return ""
}
