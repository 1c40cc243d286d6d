package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// values are properties that are all known, as JSON has them.
type values = map[string]any

// kind is one type of resource. What it says of inputs and outputs names them by path, such as vpcConfig.subnetIds.
type kind struct {
	// service, create, update and remove name the operations of the AWS API in messages; an update that has no
	// operation of its own is named as create.
	service, create, update, remove string
	// required inputs must be given; replaces are those whose change makes another resource; computed are the outputs
	// that are known only when it exists, unless they are given.
	required, replaces, computed []string
	// replacesIf returns the inputs whose change makes another resource in this case only.
	replacesIf func(olds, news values) []string
	// sets are the inputs whose order means nothing.
	sets []string
	// defaults are what the published plugin fills in.
	defaults values
	// documents are the inputs that are policies, with their form.
	documents map[string]form
	// name is the input that is made up when it is not given, at most maxName characters; empty: there is none.
	name    string
	maxName int
	// prefix is the input that may be given instead of the name: each new resource is called differently.
	prefix string
	// partOf is what it cannot be without.
	partOf *owner
	// refers are the other resources that it names.
	refers []reference
	// inUse is what AWS answers when it is deleted while one that refers to it holds it; its message has the ID in it.
	inUse answer
	// implies are those that AWS makes with it.
	implies func(s subject) []named
	// taken is what AWS answers when there is one of the same ID already; nil: the new one takes its place.
	taken *answer
	// id tells it apart from others of its type.
	id func(at place, in values) string
	// settle returns what AWS decides when it is made or changed, and keeps.
	settle func(s subject) values
	// unsettles returns the outputs that the change of these inputs makes anew.
	unsettles func(changed []string, in values) []string
	// outputs returns what AWS adds.
	outputs func(s subject) values
	// check returns what is wrong with inputs, by property; those that are not known yet are not there.
	check func(in values) map[string]string
	// allow returns why AWS would refuse to make or change it, besides what check and refers say.
	allow func(s subject) *answer
	// free returns why AWS would refuse to delete it.
	free func(s subject) *answer
}

// subject is a resource in its account.
type subject struct {
	account *account
	at      place
	id      string
	// in are its inputs, and what AWS has settled; was are those before a change, nil for a new resource.
	in, was values
	// contents are the keys of the objects in it.
	contents []string
}

// named is a resource by its type and ID.
type named struct{ token, id string }

// owner is what a resource is a part of.
type owner struct {
	// token is the owner's type, and input the input that names it.
	token, input string
	// missing is what AWS answers when there is no owner; its message may have the name in it.
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

// about fills in what the message is about, where it says so.
func (a answer) about(what string) *answer {
	a.message = strings.ReplaceAll(a.message, "%s", what)
	return &a
}

// refuse says which operation AWS has refused, and why, in the words of the AWS SDK.
func (k kind) refuse(operation string, why *answer) error {
	if why == nil {
		return nil
	}
	return fmt.Errorf("operation error %s: %s, https response error StatusCode: %d, api error %s: %s",
		k.service, operation, why.status, why.code, why.message)
}

// updates is the operation that changes a resource.
func (k kind) updates() string {
	if k.update != "" {
		return k.update
	}
	return k.create
}

// kinds are all types by their token.
var kinds = merge(s3Kinds, iamKinds, oidcKinds, kmsKinds, logsKinds, networkKinds, routeKinds, securityKinds, templateKinds,
	eksKinds, eksAccessKinds, rdsKinds, cacheKinds)

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

// allOf says that a list has a value that is none of those allowed.
func allOf(given []any, allowed ...string) string {
	for _, each := range given {
		if value, ok := each.(string); ok {
			if problem := oneOf(value, allowed...); problem != "" {
				return problem
			}
		}
	}
	return ""
}

// between says that a number is out of range.
func between(in values, key string, low, high float64, unit string) string {
	if n, given := in[key].(float64); given && (n < low || n > high) {
		return strings.TrimSpace(fmt.Sprintf("is %v; want %v to %v %s", n, low, high, unit))
	}
	return ""
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

// with returns an object with more in it; what is given stays.
func with(given any, more values) values {
	out := maps.Clone(more)
	maps.Copy(out, object(given))
	return out
}

// random makes an ID as EC2 has them, such as vpc-0a1b2c3d4e5f60718.
func random(prefix string) string { return derived(prefix, uuid.NewString()) }

// derived is an ID that follows from another: that of what AWS makes along with it.
func derived(prefix, from string) string { return prefix + "-0" + digest(prefix, from)[:16] }

// digest is text that looks random, and is the same for the same parts.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "/")))
	return hex.EncodeToString(sum[:])
}

// given are those of the inputs that are given.
func given(in values, keys ...string) values {
	out := values{}
	for _, key := range keys {
		if v, ok := in[key]; ok {
			out[key] = v
		}
	}
	return out
}

// mergeValues returns the properties of all; the last of a name counts.
func mergeValues(all ...values) values {
	out := values{}
	for _, each := range all {
		maps.Copy(out, each)
	}
	return out
}

// uniqueUUID looks like the UUIDs that AWS makes up, and is the same for the same text.
func uniqueUUID(from string) string { return uuid.NewSHA1(uuid.NameSpaceOID, []byte(from)).String() }
