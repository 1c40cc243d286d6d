package aws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// form is a sort of policy document, and what AWS wants of it.
type form struct {
	// principal and resource say whether statements must have them; otherwise they must not.
	principal, resource bool
	// limit is the most characters, without white space.
	limit int
	// ofBucket has resources belong to the bucket of the input of this name.
	ofBucket string
}

var (
	trustDocument    = form{principal: true, limit: 2048}
	inlineDocument   = form{resource: true, limit: 10240}
	identityDocument = form{resource: true, limit: 6144}
	bucketDocument   = form{principal: true, resource: true, limit: 20480, ofBucket: "bucket"}
	keyDocument      = form{principal: true, resource: true, limit: 32768}
)

// document is a policy document.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type document struct {
	Version   string     `json:"Version"`
	ID        string     `json:"Id"`
	Statement statements `json:"Statement"`
}

type statement struct {
	Sid, Effect             string
	Principal, NotPrincipal principals
	Action, NotAction       texts
	Resource, NotResource   texts
	Condition               map[string]map[string]texts
}

// texts is one text or a list of them; numbers and truth values count as texts.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one any
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	all, many := one.([]any)
	if !many {
		all = []any{one}
	}
	for _, v := range all {
		switch v.(type) {
		case string, bool, float64:
			*t = append(*t, fmt.Sprint(v))
		default:
			return fmt.Errorf("want a text or a list of texts, not %s", data)
		}
	}
	return nil
}

type statements []statement

func (s *statements) UnmarshalJSON(data []byte) error {
	if !bytes.HasPrefix(data, []byte("[")) {
		data = slices.Concat([]byte("["), data, []byte("]"))
	}
	var all []statement
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		return err
	}
	*s = all
	return nil
}

// principals are by sort; the sort of everybody is "*".
type principals map[string]texts

func (p *principals) UnmarshalJSON(data []byte) error {
	if string(data) == `"*"` {
		*p = principals{"*": {"*"}}
		return nil
	}
	var sorts map[string]texts
	if err := json.Unmarshal(data, &sorts); err != nil {
		return errors.New(`a principal must be "*" or an object`)
	}
	*p = sorts
	return nil
}

func (p principals) anyone() bool { return p["*"] != nil || slices.Contains(p["AWS"], "*") }

func parse(text string) (*document, error) {
	d := &document{}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		return nil, fmt.Errorf("is no policy: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("is no policy: there is something behind it")
	}
	return d, nil
}

// check returns what is wrong with a document.
func (f form) check(text string, in values) error {
	d, err := parse(text)
	if err != nil {
		return err
	}
	var dense bytes.Buffer
	if err := json.Compact(&dense, []byte(text)); err != nil {
		return err
	}
	switch {
	case dense.Len() > f.limit:
		return fmt.Errorf("has %d characters; AWS takes %d", dense.Len(), f.limit)
	case d.Version != "2012-10-17" && d.Version != "2008-10-17":
		return fmt.Errorf("the Version is %q; want 2012-10-17", d.Version)
	case len(d.Statement) == 0:
		return errors.New("has no Statement")
	}
	for i, s := range d.Statement {
		if err := f.statement(s, in); err != nil {
			return fmt.Errorf("statement %d %s: %w", i+1, s.Sid, err)
		}
	}
	return nil
}

var (
	action        = regexp.MustCompile(`^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$`)
	principalSort = []string{"*", "AWS", "CanonicalUser", "Federated", "Service"}
	operator      = regexp.MustCompile(`^(For(All|Any)Values?:)?(Null|Bool|BinaryEquals|(NotI|I)pAddress|` +
		`String(Not)?(Equals(IgnoreCase)?|Like)|Arn(Not)?(Equals|Like)|` +
		`(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?))(IfExists)?$`)
)

func (f form) statement(s statement, in values) error {
	actions := slices.Concat(s.Action, s.NotAction)
	principals, resources := len(s.Principal)+len(s.NotPrincipal), slices.Concat(s.Resource, s.NotResource)
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return fmt.Errorf("the Effect is %q; want Allow or Deny", s.Effect)
	case len(actions) == 0:
		return errors.New("has no Action")
	case f.principal != (principals > 0):
		return fmt.Errorf("has %d principals, in a policy that must %shave some", principals, not(!f.principal))
	case f.resource != (len(resources) > 0):
		return fmt.Errorf("has %d resources, in a policy that must %shave some", len(resources), not(!f.resource))
	}
	for _, a := range actions {
		if !action.MatchString(a) {
			return fmt.Errorf("action %q is none, such as s3:GetObject", a)
		}
	}
	for sort := range s.Principal {
		if !slices.Contains(principalSort, sort) {
			return fmt.Errorf("principal %q is none of %q", sort, principalSort)
		}
	}
	for name := range s.Condition {
		if !operator.MatchString(name) {
			return fmt.Errorf("condition %q is no operator, such as StringEquals", name)
		}
	}
	return f.resources(resources, in)
}

func (f form) resources(resources []string, in values) error {
	bucket := text(in, f.ofBucket)
	for _, r := range resources {
		if r != "*" && !strings.HasPrefix(r, "arn:") {
			return fmt.Errorf("resource %q is no ARN", r)
		}
		if bucket == "" {
			continue
		}
		_, name, _ := strings.Cut(r, ":s3:::")
		if name, _, _ = strings.Cut(name, "/"); name != bucket {
			return fmt.Errorf("resource %q does not belong to the bucket %s", r, bucket)
		}
	}
	return nil
}

func not(it bool) string {
	if it {
		return "not "
	}
	return ""
}
