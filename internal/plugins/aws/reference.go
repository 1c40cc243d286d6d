package aws

import (
	"slices"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
)

// reference is an input that names another resource.
type reference struct {
	// path leads to the input, which is one name or many.
	path string
	// token is the type of the other.
	token string
	// byARN says that it is named by its ARN. One of another account is nobody's business here.
	byARN bool
	// except is how the names of what AWS has for everybody begin; empty: there is none.
	except string
	// absent is what AWS answers when there is none of that name; its message has the name in it.
	absent answer
	// holds says that the other one cannot be deleted as long as this one is there.
	holds bool
	// trusts is the service that the other one, a role, must let assume it, with these actions; empty: anything goes.
	trusts  string
	actions []string
	// untrusted is what AWS answers when it does not.
	untrusted answer
}

// missing returns what AWS answers when a resource names one that is not there.
func (r reference) missing(s subject) *answer {
	for _, name := range walkTexts(s.in, r.path) {
		if r.byARN && elsewhere(name, s.at) || r.except != "" && strings.HasPrefix(name, r.except) {
			continue
		}
		other, found := s.account.resolve(r, name)
		if !found {
			return r.absent.about(name)
		}
		if r.trusts != "" && !lets(text(other.in, "assumeRolePolicy"), r.trusts, r.actions) {
			return &r.untrusted
		}
	}
	return nil
}

// elsewhere says that an ARN is of another account.
func elsewhere(arn string, at place) bool {
	parts := strings.SplitN(arn, ":", 6)
	return len(parts) == 6 && parts[4] != at.account
}

// resolve finds what a reference names.
func (a *account) resolve(r reference, name string) (subject, bool) {
	if !r.byARN {
		return a.one(r.token, name), a.exists(r.token, name)
	}
	for _, other := range a.all(r.token) {
		if a.kinds[r.token].outputs(other)["arn"] == name {
			return other, true
		}
	}
	return subject{}, false
}

// implied says that there is a resource that AWS has made with another one.
func (a *account) implied(token, id string) bool {
	for maker, k := range a.kinds {
		if k.implies == nil {
			continue
		}
		for _, s := range a.all(maker) {
			if slices.Contains(k.implies(s), named{token, id}) {
				return true
			}
		}
	}
	return false
}

// held returns why a resource cannot go before those that refer to it. What is a part of it goes with it.
func (a *account) held(token string, s subject) *answer {
	for referrer, k := range a.kinds {
		for _, r := range k.refers {
			if !r.holds || r.token != token {
				continue
			}
			for _, other := range a.all(referrer) {
				part := k.partOf != nil && k.partOf.token == token && text(other.in, k.partOf.input) == s.id
				if !part && a.names(r, other, s) {
					return a.kinds[token].inUse.about(s.id)
				}
			}
		}
	}
	return nil
}

// names says that a resource refers to the other one.
func (a *account) names(r reference, s, other subject) bool {
	name := other.id
	if r.byARN {
		name, _ = a.kinds[r.token].outputs(other)["arn"].(string)
	}
	return slices.Contains(walkTexts(s.in, r.path), name)
}

// lets says that a trust policy lets a service do all of these actions.
func lets(policy, service string, actions []string) bool {
	trust, err := parse(policy)
	if err != nil {
		return false
	}
	var granted []string
	for _, s := range trust.Statement {
		// In China some services have a name of their own.
		who := func(name string) bool { return name == service || name == service+".cn" }
		if s.Effect == "Allow" && slices.ContainsFunc(s.Principal["Service"], who) {
			granted = append(granted, s.Action...)
		}
	}
	return !slices.ContainsFunc(actions, func(action string) bool { return !slices.Contains(granted, action) })
}

// assumes is a reference to a role by its ARN.
func assumes(path, service string, absent, untrusted answer, actions ...string) reference {
	return reference{
		path: path, token: aws.Role, byARN: true, absent: absent,
		trusts: service, actions: append([]string{"sts:AssumeRole"}, actions...), untrusted: untrusted,
	}
}

// attached says that a role has an AWS managed policy, by the last part of its ARN.
func (a *account) attached(roleARN string, policies ...string) bool {
	role := roleARN[strings.LastIndex(roleARN, "/")+1:]
	for _, s := range a.all(aws.PolicyAttachment) {
		arn := text(s.in, "policyArn")
		if text(s.in, "role") == role && slices.Contains(policies, arn[strings.LastIndex(arn, "/")+1:]) {
			return true
		}
	}
	return false
}
