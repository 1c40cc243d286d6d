// Package policytest decides requests by policy documents, as AWS documents it, for tests of policies.
//
// It knows what the program's policies use, and fails on anything else instead of passing over it. The evaluators that
// exist in Go belong to other products (MinIO's knows neither web identities nor keys), hence this one.
package policytest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Decision is the outcome of one document.
type Decision string

// A denial in any document decides; without it one permission is enough, and no match permits nothing.
const (
	Allowed Decision = "allowed"
	Denied  Decision = "denied"
	Silent  Decision = "silent"
)

// Request is what somebody wants to do.
type Request struct {
	// Principal is who asks, by sort, such as Federated; it matters only to documents that name principals.
	PrincipalSort, Principal string
	// Action is as in a policy, and Resource an ARN; empty for an action on the role that the document belongs to.
	Action, Resource string
	// Context are the condition keys of the request; one that is not there is absent in the request.
	Context map[string]string
}

type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid, Effect      string
	Principal        map[string][]string
	Action, Resource []string
	Condition        map[string]map[string][]string
}

// Decide returns what a document says about a request.
func Decide(text string, r Request) (Decision, error) {
	var d document
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return "", fmt.Errorf("decode a policy: %w", err)
	}
	decision := Silent
	for _, s := range d.Statement {
		applies, err := s.applies(r)
		switch {
		case err != nil:
			return "", fmt.Errorf("statement %s: %w", s.Sid, err)
		case applies && s.Effect == "Deny":
			return Denied, nil
		case applies && s.Effect == "Allow":
			decision = Allowed
		}
	}
	return decision, nil
}

func (s statement) applies(r Request) (bool, error) {
	for operator, keys := range s.Condition {
		for key, values := range keys {
			given, present := r.Context[key]
			met, err := condition(operator, values, given, present)
			if err != nil || !met {
				return false, err
			}
		}
	}
	return s.principal(r) && matches(s.Action, r.Action, true) &&
		(len(s.Resource) == 0 || matches(s.Resource, r.Resource, false)), nil
}

func (s statement) principal(r Request) bool {
	if s.Principal == nil || slices.Contains(s.Principal["AWS"], "*") {
		return true
	}
	return slices.Contains(s.Principal[r.PrincipalSort], r.Principal)
}

// matches compares with patterns; the names of actions are the same in upper and lower case.
func matches(patterns []string, value string, fold bool) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		expression := regexp.QuoteMeta(pattern)
		expression = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(expression)
		if fold {
			expression = "(?i)" + expression
		}
		return regexp.MustCompile("^(?:" + expression + ")$").MatchString(value)
	})
}

// condition evaluates one operator for one key. What compares with an absent key is not met, unless it is negated or asks
// for the key only if it exists.
func condition(operator string, values []string, given string, present bool) (bool, error) {
	operator, ifExists := strings.CutSuffix(operator, "IfExists")
	if operator == "Null" && !ifExists {
		return slices.Contains(values, strconv.FormatBool(!present)), nil
	}
	test, known := operators[operator]
	if !known {
		return false, fmt.Errorf("condition operator %s is not known here", operator)
	}
	negated := strings.Contains(operator, "Not")
	if !present {
		return negated || ifExists, nil
	}
	met := slices.ContainsFunc(values, func(value string) bool { return test(value, given) })
	return met != negated, nil
}

// operators compare one value of a policy with that of the request. Negated ones compare like the others.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]func(value, given string) bool{
	"StringEquals": equal, "StringNotEquals": equal, "Bool": strings.EqualFold,
	"StringEqualsIgnoreCase": strings.EqualFold, "StringNotEqualsIgnoreCase": strings.EqualFold,
	"StringLike": like, "StringNotLike": like,
	"ArnEquals": likeARN, "ArnLike": likeARN, "ArnNotEquals": likeARN, "ArnNotLike": likeARN,
	"NumericLessThan": func(limit, given string) bool { return number(given) < number(limit) },
}

func equal(value, given string) bool { return value == given }

func like(pattern, given string) bool { return matches([]string{pattern}, given, false) }

// likeARN compares the six parts of an ARN one by one: a star does not reach over a colon, but in the last part.
func likeARN(pattern, given string) bool {
	patterns, parts := strings.SplitN(pattern, ":", 6), strings.SplitN(given, ":", 6)
	if len(patterns) != 6 || len(parts) != 6 {
		return false
	}
	for i := range patterns {
		if !like(patterns[i], parts[i]) {
			return false
		}
	}
	return true
}

// number reads a number. What is none is a mistake in the test or in the policy.
func number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("%q is no number", text))
	}
	return n
}
