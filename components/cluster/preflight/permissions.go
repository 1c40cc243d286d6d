package preflight

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Resource is a kind of objects, as permissions name it: in the plural, and with its API group.
type Resource struct{ Group, Name string }

func (r Resource) String() string {
	if r.Group == "" {
		return r.Name
	}
	return r.Name + "." + r.Group
}

// verbs are what the program does with its objects.
var verbs = []string{"create", "delete", "get", "list", "patch", "watch"}

// grants are what whoever makes roles needs beyond that: Kubernetes lets nobody give what they do not have themselves.
var grants = map[Resource][]string{
	{"rbac.authorization.k8s.io", "clusterroles"}: {"bind", "escalate"},
	{"rbac.authorization.k8s.io", "roles"}:        {"bind", "escalate"},
}

// Verbs are what the program has to be allowed to do with objects of the kind.
func (r Resource) Verbs() []string { return slices.Concat(verbs, grants[r]) }

// access is a question to the API server.
type access struct{ Verb, Group, Resource string }

// may asks whether whoever asks may do something in all namespaces.
func (i *inspector) may(ctx context.Context, a access) (bool, error) {
	review, err := i.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Verb: a.Verb, Group: a.Group, Resource: a.Resource,
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}

// permissions reports each kind that the program could not manage.
func (i *inspector) permissions(ctx context.Context) error {
	if all, err := i.may(ctx, access{Verb: "*", Group: "*", Resource: "*"}); all || err != nil {
		return err
	}
	missing := make([][]string, len(i.needs.Manages))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for at, resource := range i.needs.Manages {
		group.Go(func() error {
			for _, verb := range resource.Verbs() {
				allowed, err := i.may(asking, access{Verb: verb, Group: resource.Group, Resource: resource.Name})
				if err != nil {
					return err
				}
				if !allowed {
					missing[at] = append(missing[at], verb)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for at, resource := range i.needs.Manages {
		if len(missing[at]) > 0 {
			i.report(Error, "permissions", "that the user of the kubeconfig may not "+strings.Join(missing[at], ", ")+" "+resource.String(),
				strings.Join(slices.Concat(verbs, grants[resource]), ", ")+" in all namespaces",
				"Have a ClusterRole with it bound to the user, or use the kubeconfig of a cluster administrator.")
		}
	}
	return nil
}
