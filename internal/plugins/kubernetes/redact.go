package kubernetes

import (
	"cmp"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// shortest is the length under which a secret is not looked for in messages: everything would contain it.
const shortest = 4

// hide removes the secrets of a resource from a message about it. The API server quotes the values that it refuses, and
// messages end up in logs and, as the reasons of a failed initialisation, in the state.
func hide(m resource.PropertyMap, messages ...string) []string {
	var texts []string
	collectSecrets(resource.NewProperty(m), false, &texts)
	// Where one contains another, the longer one goes first.
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, text := range texts {
		pairs = append(pairs, text, "[secret]")
	}
	replacer := strings.NewReplacer(pairs...)
	out := make([]string, len(messages))
	for i, message := range messages {
		out[i] = replacer.Replace(message)
	}
	return out
}

// hideIn does the same for an error. One that tells nothing secret stays what it is.
func hideIn(m resource.PropertyMap, err error) error {
	if hidden := hide(m, err.Error())[0]; hidden != err.Error() {
		return errors.New(hidden)
	}
	return err
}

// collectSecrets finds the texts that are secret, in the spellings in which a message may show them.
func collectSecrets(v resource.PropertyValue, secret bool, texts *[]string) {
	switch {
	case v.IsSecret():
		collectSecrets(v.SecretValue().Element, true, texts)
	case v.IsObject():
		for _, e := range v.ObjectValue() {
			collectSecrets(e, secret, texts)
		}
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			collectSecrets(e, secret, texts)
		}
	case secret && v.IsString():
		text := v.StringValue()
		spellings := []string{text, base64.StdEncoding.EncodeToString([]byte(text))}
		if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && utf8.Valid(decoded) {
			spellings = append(spellings, string(decoded)) // the data of a Secret
		}
		for _, spelling := range spellings {
			if len(spelling) >= shortest {
				quoted := strconv.Quote(spelling)
				*texts = append(*texts, spelling, quoted[1:len(quoted)-1])
			}
		}
	}
}
