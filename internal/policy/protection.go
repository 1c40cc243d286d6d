package policy

import (
	"fmt"
	"slices"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// settings are properties that decide whether data goes with a resource, with the only value that keeps it.
var settings = []struct {
	of, property string
	wanted       any
	// always says that it has to be so even where a stack does not protect its data.
	always bool
}{
	{aws.Bucket, "forceDestroy", false, true},
	{aws.DatabaseInstance, "deletionProtection", true, false},
	{aws.DatabaseInstance, "skipFinalSnapshot", false, true},
}

// deletionProtection looks for data that a mistake would delete. A stack that protects none, such as one for development,
// wants it so; one that protects some has to protect all of it, and the namespaces that it is in.
func deletionProtection(s *stack, r *resource) []breach {
	found := lossySettings(s, r)
	if !s.protects || r.Protect {
		return found
	}
	if h, ok := holdingOf(r.Type); ok && h.protected {
		found = append(found, breach{message: fmt.Sprintf("it is not protected, unlike other data of the stack: deleting it would delete %s", h.what)})
	}
	if r.is("Namespace") {
		if inside := s.protectedIn(r.object.GetName()); inside != nil {
			found = append(found, breach{message: fmt.Sprintf("it is not protected, but %s in it is: deleting the namespace would delete both", inside.key())})
		}
	}
	return found
}

func lossySettings(s *stack, r *resource) []breach {
	var found []breach
	for _, setting := range settings {
		value, set := r.Inputs[setting.property]
		if r.Type != setting.of || !setting.always && !s.protects || value == setting.wanted || !set && setting.wanted == false {
			continue
		}
		found = append(found, breach{setting.property, fmt.Sprintf("%s is not %t: deleting it would delete %s",
			setting.property, setting.wanted, stateful[setting.of].what)})
	}
	if r.is("Database") && s.protects && text(r.Inputs, "spec", "databaseReclaimPolicy") == "delete" {
		found = append(found, breach{"databaseReclaimPolicy", "spec.databaseReclaimPolicy is delete: the database would go with the object"})
	}
	return found
}

// protectedIn is an object with data in a namespace that is protected, or nil.
func (s *stack) protectedIn(namespace string) *resource {
	i := slices.IndexFunc(s.resources, func(r *resource) bool {
		h, ok := holdingOf(r.Type)
		return ok && h.protected && r.Protect && r.object != nil && r.object.GetNamespace() == namespace
	})
	if i < 0 {
		return nil
	}
	return s.resources[i]
}
