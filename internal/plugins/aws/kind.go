package aws

import (
	"fmt"
	"maps"
	"slices"
)

// values are properties that are all known, as JSON has them.
type values = map[string]any

// kind is one type of resource.
type kind struct {
	// service, create and remove name the operations of the AWS API in messages.
	service, create, remove string
	// required inputs must be given; replaces are those whose change makes another resource; computed are the outputs
	// that are known only when it exists.
	required, replaces, computed []string
	// defaults are what the published plugin fills in.
	defaults values
	// documents are the inputs that are policies, with their form.
	documents map[string]form
	// name is the input that is made up when it is not given, at most maxName characters; empty: there is none.
	name    string
	maxName int
	// partOf is what it cannot be without.
	partOf *owner
	// taken is what AWS answers when there is one of the same ID already; nil: the new one takes its place.
	taken *answer
	// id tells it apart from others of its type.
	id func(at place, in values) string
	// outputs returns what AWS adds.
	outputs func(at place, id string, in values) values
	// check returns what is wrong with inputs, by property; those that are not known yet are not there.
	check func(in values) map[string]string
	// allow returns why AWS would refuse these inputs, besides what check says.
	allow func(a *account, in values) *answer
	// free returns why AWS would refuse to delete it.
	free func(a *account, id string, r *record) *answer
}

// owner is what a resource is a part of.
type owner struct {
	// token is the owner's type, and input the input that names it.
	token, input string
	// missing is what AWS answers when there is no owner.
	missing answer
	// keeps is what AWS answers when the owner is deleted before its parts; nil: they go with it.
	keeps *answer
}

// place is where a resource is.
type place struct{ account, region, partition string }

// arn returns the ARN of something in the region; global services have none in it.
func (p place) arn(service, region, what string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.partition, service, region, p.account, what)
}

// answer is an error of the AWS API.
type answer struct {
	status        int
	code, message string
}

// refuse says which operation AWS has refused, and why, in the words of the AWS SDK.
func (k kind) refuse(operation string, why *answer) error {
	if why == nil {
		return nil
	}
	return fmt.Errorf("operation error %s: %s, https response error StatusCode: %d, api error %s: %s",
		k.service, operation, why.status, why.code, why.message)
}

// kinds are all types by their token.
var kinds = merge(s3Kinds, iamKinds, kmsKinds)

func merge(tables ...map[string]kind) map[string]kind {
	all := map[string]kind{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// text reads a text input; it is empty when it is not there, or not known yet.
func text(in values, key string) string {
	s, _ := in[key].(string)
	return s
}

// oneOf says that a value is none of those allowed.
func oneOf(value string, allowed ...string) string {
	if value == "" || slices.Contains(allowed, value) {
		return ""
	}
	return fmt.Sprintf("is %q; want one of %q", value, allowed)
}

// problems leaves out properties with which nothing is wrong.
func problems(found map[string]string) map[string]string {
	maps.DeleteFunc(found, func(_, problem string) bool { return problem == "" })
	return found
}

// tags are the tags of a resource, those of the provider included; there are none of the provider's.
func tags(in values) values {
	if t, ok := in["tags"].(values); ok {
		return maps.Clone(t)
	}
	return values{}
}
