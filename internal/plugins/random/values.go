package random

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/google/uuid"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/bcrypt"
)

const (
	lowerChars   = "abcdefghijklmnopqrstuvwxyz"
	upperChars   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numericChars = "0123456789"
	specialChars = "!@#$%&*()-_=+[]{}<>:?"
)

// class is one set of characters of a text, by the inputs that switch it and demand it.
type class struct {
	use, least resource.PropertyKey
	chars      string
}

var classes = []class{
	{"lower", "minLower", lowerChars},
	{"upper", "minUpper", upperChars},
	{"numeric", "minNumeric", numericChars},
	{"special", "minSpecial", specialChars},
}

// number reads an integer input; known is false for what is not given, or not known yet.
func number(inputs resource.PropertyMap, key resource.PropertyKey) (n int, known bool) {
	if v := unveil(inputs[key]); v.IsNumber() {
		return int(v.NumberValue()), true
	}
	return 0, false
}

func flag(inputs resource.PropertyMap, key resource.PropertyKey) bool {
	v := unveil(inputs[key])
	return v.IsBool() && v.BoolValue()
}

func text(inputs resource.PropertyMap, key resource.PropertyKey) string {
	if v := unveil(inputs[key]); v.IsString() {
		return v.StringValue()
	}
	return ""
}

func completeText(inputs resource.PropertyMap) map[string]string {
	// "number" is the former name of "numeric".
	if v, ok := inputs["number"]; ok && inputs["numeric"].IsNull() {
		inputs["numeric"] = v
	}
	for _, c := range classes {
		if inputs[c.use].IsNull() {
			inputs[c.use] = resource.NewProperty(true)
		}
		if inputs[c.least].IsNull() {
			inputs[c.least] = resource.NewProperty(0.0)
		}
	}
	inputs["number"] = inputs["numeric"]

	problems := map[string]string{}
	if inputs["length"].IsNull() {
		problems["length"] = "is required: the number of characters, at least 1"
		return problems
	}
	if inputs.ContainsUnknowns() {
		return problems
	}
	length, _ := number(inputs, "length")
	if length < 1 {
		problems["length"] = fmt.Sprintf("is %d; want at least 1", length)
	}
	sum, chosen := 0, false
	for _, c := range classes {
		n, _ := number(inputs, c.least)
		if n < 0 {
			problems[string(c.least)] = fmt.Sprintf("is %d; want 0 or more", n)
		}
		sum += n
		chosen = chosen || n > 0 || flag(inputs, c.use)
	}
	if sum > length {
		problems["length"] = fmt.Sprintf(
			"is %d, less than minLower, minUpper, minNumeric and minSpecial together (%d)", length, sum)
	}
	if !chosen {
		problems["length"] = "no characters to choose from: one of lower, upper, numeric, special must be true"
	}
	return problems
}

// newText draws what is demanded of each class, fills up from all classes in use, and shuffles.
func newText(inputs resource.PropertyMap) (string, error) {
	length, _ := number(inputs, "length")
	all, drawn := "", make([]byte, 0, length)
	for _, c := range classes {
		chars := c.chars
		if override := text(inputs, "overrideSpecial"); c.use == "special" && override != "" {
			chars = override
		}
		if flag(inputs, c.use) {
			all += chars
		}
		least, _ := number(inputs, c.least)
		for range least {
			b, err := pick(chars)
			if err != nil {
				return "", err
			}
			drawn = append(drawn, b)
		}
	}
	if all == "" && len(drawn) < length {
		return "", fmt.Errorf("length %d: no characters to choose from", length)
	}
	for len(drawn) < length {
		b, err := pick(all)
		if err != nil {
			return "", err
		}
		drawn = append(drawn, b)
	}
	for i := len(drawn) - 1; i > 0; i-- {
		j, err := below(i + 1)
		if err != nil {
			return "", err
		}
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	return string(drawn), nil
}

func pick(chars string) (byte, error) {
	i, err := below(len(chars))
	if err != nil {
		return 0, err
	}
	return chars[i], nil
}

func below(n int) (int, error) {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0, fmt.Errorf("read random bytes: %w", err)
	}
	return int(i.Int64()), nil
}

func makeString(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	result, err := newText(inputs)
	return result, resource.PropertyMap{"result": resource.NewProperty(result)}, err
}

func makePassword(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	result, err := newText(inputs)
	if err != nil {
		return "", nil, err
	}
	const bcryptLimit = 72 // bytes that the algorithm looks at
	hash, err := bcrypt.GenerateFromPassword([]byte(result)[:min(len(result), bcryptLimit)], bcrypt.DefaultCost)
	if err != nil {
		return "", nil, fmt.Errorf("hash the password: %w", err)
	}
	// The ID is shown everywhere, so it says nothing.
	return "none", resource.PropertyMap{
		"result": resource.NewProperty(result), "bcryptHash": resource.NewProperty(string(hash)),
	}, nil
}

func completeID(inputs resource.PropertyMap) map[string]string {
	if inputs["byteLength"].IsNull() {
		return map[string]string{"byteLength": "is required: the number of random bytes, at least 1"}
	}
	if n, known := number(inputs, "byteLength"); known && n < 1 {
		return map[string]string{"byteLength": fmt.Sprintf("is %d; want at least 1", n)}
	}
	return nil
}

func makeID(inputs resource.PropertyMap) (string, resource.PropertyMap, error) {
	length, _ := number(inputs, "byteLength")
	raw := make([]byte, length)
	if _, err := rand.Read(raw); err != nil {
		return "", nil, fmt.Errorf("read random bytes: %w", err)
	}
	prefix, id := text(inputs, "prefix"), base64.RawURLEncoding.EncodeToString(raw)
	return id, resource.PropertyMap{
		"b64Std": resource.NewProperty(prefix + base64.StdEncoding.EncodeToString(raw)),
		"b64Url": resource.NewProperty(prefix + id),
		"dec":    resource.NewProperty(prefix + new(big.Int).SetBytes(raw).String()),
		"hex":    resource.NewProperty(prefix + strings.ToLower(hex.EncodeToString(raw))),
	}, nil
}

func makeUUID(resource.PropertyMap) (string, resource.PropertyMap, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", nil, fmt.Errorf("read random bytes: %w", err)
	}
	return id.String(), resource.PropertyMap{"result": resource.NewProperty(id.String())}, nil
}
