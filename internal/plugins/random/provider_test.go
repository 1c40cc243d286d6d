package random

import (
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

type inputs = map[string]any

func urn(kind string) string {
	return "urn:pulumi:test::test::random:index/" + strings.ToLower(kind[:1]) + kind[1:] + ":" + kind + "::it"
}

func wire(t *testing.T, in inputs) *structpb.Struct {
	t.Helper()
	s, err := protocol.Encode(resource.NewPropertyMapFromMap(in))
	require.NoError(t, err)
	return s
}

func check(t *testing.T, kind string, in inputs) (*structpb.Struct, map[string]string) {
	t.Helper()
	response, err := New().Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn(kind), News: wire(t, in)})
	require.NoError(t, err)
	failures := map[string]string{}
	for _, f := range response.GetFailures() {
		failures[f.GetProperty()] = f.GetReason()
	}
	return response.GetInputs(), failures
}

func create(t *testing.T, kind string, in inputs) (string, resource.PropertyMap) {
	t.Helper()
	checked, failures := check(t, kind, in)
	require.Empty(t, failures)
	response, err := New().Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(kind), Properties: checked})
	require.NoError(t, err)
	state, err := protocol.Decode(response.GetProperties())
	require.NoError(t, err)
	return response.GetId(), state
}

func count(text, chars string) (n int) {
	for _, c := range text {
		if strings.ContainsRune(chars, c) {
			n++
		}
	}
	return n
}

func TestPasswordIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	id, state := create(t, "RandomPassword", inputs{
		"length": 40, "minLower": 3, "minUpper": 4, "minNumeric": 5, "minSpecial": 6, "overrideSpecial": "~^",
	})
	assert.Equal(t, "none", id)
	require.True(t, state["result"].IsSecret())
	require.True(t, state["bcryptHash"].IsSecret())
	result := state["result"].SecretValue().Element.StringValue()
	assert.Len(t, result, 40)
	assert.GreaterOrEqual(t, count(result, lowerChars), 3)
	assert.GreaterOrEqual(t, count(result, upperChars), 4)
	assert.GreaterOrEqual(t, count(result, numericChars), 5)
	assert.GreaterOrEqual(t, count(result, "~^"), 6)
	assert.Zero(t, count(result, specialChars), "given special characters replace the usual ones")
	hash := state["bcryptHash"].SecretValue().Element.StringValue()
	assert.NoError(t, bcrypt.CompareHashAndPassword([]byte(hash), []byte(result)))

	_, other := create(t, "RandomPassword", inputs{"length": 40})
	assert.NotEqual(t, result, other["result"].SecretValue().Element.StringValue())
}

func TestStringUsesOnlyTheClassesInUse(t *testing.T) {
	t.Parallel()
	id, state := create(t, "RandomString", inputs{"length": 64, "special": false, "upper": false})
	result := state["result"].StringValue()
	assert.Equal(t, result, id)
	assert.Equal(t, 64, count(result, lowerChars+numericChars))
}

func TestIDInAllItsForms(t *testing.T) {
	t.Parallel()
	id, state := create(t, "RandomId", inputs{"byteLength": 8, "prefix": "p-"})
	raw, err := base64.RawURLEncoding.DecodeString(id)
	require.NoError(t, err)
	assert.Len(t, raw, 8)
	assert.Equal(t, "p-"+hex.EncodeToString(raw), state["hex"].StringValue())
	assert.Equal(t, "p-"+new(big.Int).SetBytes(raw).String(), state["dec"].StringValue())
	assert.Equal(t, "p-"+id, state["b64Url"].StringValue())
	assert.Equal(t, "p-"+base64.StdEncoding.EncodeToString(raw), state["b64Std"].StringValue())
}

func TestUUID(t *testing.T) {
	t.Parallel()
	id, state := create(t, "RandomUuid", inputs{})
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
	assert.Equal(t, id, state["result"].StringValue())
}

func TestWhatCannotBeMadeIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind             string
		in               inputs
		property, reason string
	}{
		"no length":         {"RandomPassword", inputs{}, "length", "is required"},
		"zero":              {"RandomString", inputs{"length": 0}, "length", "want at least 1"},
		"more than fits":    {"RandomString", inputs{"length": 3, "minLower": 2, "minUpper": 2}, "length", "together (4)"},
		"negative":          {"RandomString", inputs{"length": 3, "minLower": -1}, "minLower", "want 0 or more"},
		"nothing to choose": {"RandomString", inputs{"length": 3, "lower": false, "upper": false, "numeric": false, "special": false}, "length", "no characters"},
		"no bytes":          {"RandomId", inputs{}, "byteLength", "is required"},
		"zero bytes":        {"RandomId", inputs{"byteLength": 0}, "byteLength", "want at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, failures := check(t, c.kind, c.in)
			assert.Contains(t, failures[c.property], c.reason)
		})
	}
	_, err := New().Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn("RandomPet"), News: wire(t, inputs{})})
	assert.ErrorContains(t, err, "no type random:index/randomPet:RandomPet; it has [random:index/randomId:RandomId")
}

func TestChangesMakeANewValue(t *testing.T) {
	t.Parallel()
	olds := inputs{"length": 12, "keepers": inputs{"generation": "1"}}
	diff := func(olds, news inputs) *pulumirpc.DiffResponse {
		old, _ := check(t, "RandomPassword", olds)
		wanted, _ := check(t, "RandomPassword", news)
		response, err := New().Diff(t.Context(), &pulumirpc.DiffRequest{
			Urn: urn("RandomPassword"), OldInputs: old, News: wanted,
		})
		require.NoError(t, err)
		return response
	}
	assert.Equal(t, pulumirpc.DiffResponse_DIFF_NONE, diff(olds, olds).GetChanges())
	assert.Equal(t, []string{"keepers"}, diff(olds, inputs{"length": 12, "keepers": inputs{"generation": "2"}}).GetReplaces())
	assert.Equal(t, []string{"keepers"}, diff(olds, inputs{"length": 12}).GetReplaces())
	assert.Equal(t, []string{"length"}, diff(olds, inputs{"length": 13, "keepers": inputs{"generation": "1"}}).GetReplaces())

	secret := resource.NewPropertyMapFromMap(inputs{"length": 12})
	secret["keepers"] = resource.NewProperty(resource.PropertyMap{"generation": resource.MakeSecret(resource.NewProperty("1"))})
	news, err := protocol.Encode(secret)
	require.NoError(t, err)
	response, err := New().Diff(t.Context(), &pulumirpc.DiffRequest{
		Urn: urn("RandomString"), OldInputs: wire(t, olds), News: news,
	})
	require.NoError(t, err)
	assert.NotContains(t, response.GetReplaces(), "keepers", "to hide a keeper is not to change it")
}

func TestImportIsRefused(t *testing.T) {
	t.Parallel()
	_, err := New().Read(t.Context(), &pulumirpc.ReadRequest{Id: "the-password", Urn: urn("RandomPassword")})
	require.ErrorContains(t, err, "cannot import random:index/randomPassword:RandomPassword")
	assert.NotContains(t, err.Error(), "the-password", "the ID of an import is the value")

	_, state := create(t, "RandomUuid", inputs{})
	recorded, err := protocol.Encode(state)
	require.NoError(t, err)
	read, err := New().Read(t.Context(), &pulumirpc.ReadRequest{Id: "it", Urn: urn("RandomUuid"), Properties: recorded})
	require.NoError(t, err)
	assert.Equal(t, recorded, read.GetProperties(), "a refresh changes nothing")
}

func TestPreviewDoesNotKnowTheValue(t *testing.T) {
	t.Parallel()
	checked, _ := check(t, "RandomPassword", inputs{"length": 12})
	response, err := New().Create(t.Context(), &pulumirpc.CreateRequest{
		Urn: urn("RandomPassword"), Properties: checked, Preview: true,
	})
	require.NoError(t, err)
	state, err := protocol.Decode(response.GetProperties())
	require.NoError(t, err)
	assert.Empty(t, response.GetId())
	assert.True(t, state["result"].SecretValue().Element.IsComputed())
	assert.EqualValues(t, 12, state["length"].NumberValue())
}
