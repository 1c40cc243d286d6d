package policytest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	const allowReads = `{"Effect":"Allow","Action":["s3:Get*"],"Resource":["arn:aws:s3:::b/*"]}`
	const denyOld = `{"Effect":"Deny","Principal":{"AWS":["*"]},"Action":["s3:*"],"Resource":["*"],"Condition":{"NumericLessThan":{"v":["1.2"]}}}`
	const denyNamed = `{"Effect":"Deny","Action":["s3:*"],"Resource":["*"],"Condition":{"Null":{"k":["false"]},"StringNotEquals":{"k":["x"]}}}`
	read := Request{Action: "s3:getobject", Resource: "arn:aws:s3:::b/key"}
	with := func(key, value string) Request {
		r := read
		r.Context = map[string]string{key: value}
		return r
	}
	like := func(arn string) string {
		return `{"Effect":"Allow","Action":["*"],"Condition":{"ArnLike":{"a":["` + arn + `"]}}}`
	}
	for name, c := range map[string]struct {
		statements string
		request    Request
		want       Decision
	}{
		"a permission":                    {allowReads, read, Allowed},
		"none for another bucket":         {allowReads, Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::bb/key"}, Silent},
		"none for another action":         {allowReads, Request{Action: "s3:PutObject", Resource: read.Resource}, Silent},
		"a denial decides":                {allowReads + "," + denyOld, with("v", "1.1"), Denied},
		"numbers":                         {allowReads + "," + denyOld, with("v", "1.3"), Allowed},
		"an absent number":                {allowReads + "," + denyOld, read, Allowed},
		"an absent key":                   {allowReads + "," + denyNamed, read, Allowed},
		"the key's value":                 {allowReads + "," + denyNamed, with("k", "x"), Allowed},
		"another value":                   {allowReads + "," + denyNamed, with("k", "y"), Denied},
		"an absent key is not equal also": {`{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{"StringNotEquals":{"k":["x"]}}}`, read, Denied},
		"only if it exists":               {`{"Effect":"Allow","Action":["*"],"Condition":{"StringEqualsIfExists":{"k":["x"]}}}`, read, Allowed},
		"and is another":                  {`{"Effect":"Allow","Action":["*"],"Condition":{"StringEqualsIfExists":{"k":["x"]}}}`, with("k", "y"), Silent},
		"not like it":                     {`{"Effect":"Deny","Action":["*"],"Condition":{"StringNotLike":{"k":["x*"]}}}`, with("k", "xy"), Silent},
		"one of two":                      {`{"Effect":"Deny","Action":["*"],"Condition":{"StringNotEquals":{"k":["x","y"]}}}`, with("k", "y"), Silent},
		"an ARN":                          {like(`arn:aws:eks:*:1:cluster/*`), with("a", "arn:aws:eks:eu:1:cluster/c"), Allowed},
		"a star too far":                  {like(`arn:aws:eks:*:1:cluster/*`), with("a", "arn:aws:eks:eu:2:x:1:cluster/c"), Silent},
		"no ARN":                          {like(`*`), with("a", "arn:aws:eks:eu:1:cluster/c"), Silent},
		"no ARN at all":                   {like(`arn:aws:eks:*:1:cluster/*`), read, Silent},
		"a service": {
			`{"Effect":"Allow","Principal":{"Service":["pods.eks.amazonaws.com"]},"Action":["sts:A"]}`,
			Request{PrincipalSort: "Service", Principal: "pods.eks.amazonaws.com", Action: "sts:A"}, Allowed,
		},
		"somebody else": {
			`{"Effect":"Allow","Principal":{"Federated":["p"]},"Action":["sts:A"]}`,
			Request{PrincipalSort: "Federated", Principal: "q", Action: "sts:A"}, Silent,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Decide(`{"Version":"2012-10-17","Statement":[`+c.statements+`]}`, c.request)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestWhatIsNotKnownIsAnError(t *testing.T) {
	t.Parallel()
	_, err := Decide(`{"Statement":[{"Sid":"S","Effect":"Allow","Action":["*"],"Condition":{"IpAddress":{"k":["::1"]}}}]}`, Request{})
	require.ErrorContains(t, err, "statement S: condition operator IpAddress is not known here")
	_, err = Decide(`{"Statement":[{"Effect":"Allow","NotAction":["*"]}]}`, Request{})
	require.ErrorContains(t, err, "NotAction")
}
