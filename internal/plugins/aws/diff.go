package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// Diff compares inputs. Documents that say the same are the same, and so are sets in another order.
func (p *Provider) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	_, k, err := p.kindOf(req.GetUrn())
	if err != nil {
		return nil, err
	}
	olds, err := protocol.Decode(req.GetOldInputs())
	if err != nil {
		return nil, fmt.Errorf("old inputs: %w", err)
	}
	news, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	k.level(olds, news)
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true}
	if diff := olds.Diff(news); diff != nil {
		k.describe(diff, k.replaced(olds, news), response)
		response.DeleteBeforeReplace = len(response.Replaces) > 0 && k.keepsName(olds, news, resource.URN(req.GetUrn()))
	}
	return response, nil
}

// level makes equal what means the same.
func (k kind) level(olds, news resource.PropertyMap) {
	for property := range k.documents {
		key := resource.PropertyKey(property)
		if sameDocument(olds[key], news[key]) {
			news[key] = olds[key]
		}
	}
	for _, path := range k.sets {
		old, there := lookUp(olds, path)
		if v, given := lookUp(news, path); there && given && sameSet(old, v) {
			put(news, path, old)
		}
	}
}

// replaced are the paths of the inputs whose change makes another resource.
func (k kind) replaced(olds, news resource.PropertyMap) []string {
	var paths []string
	for _, path := range k.replaces {
		old, there := lookUp(olds, path)
		if v, given := lookUp(news, path); there != given || there && !old.DeepEquals(v) {
			paths = append(paths, path)
		}
	}
	if k.replacesIf != nil {
		paths = append(paths, k.replacesIf(known(olds), known(news))...)
	}
	return paths
}

func (k kind) describe(diff *resource.ObjectDiff, replaced []string, response *pulumirpc.DiffResponse) {
	response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	replaces := map[string]bool{}
	for _, path := range replaced {
		replaces[root(path)] = true
	}
	for _, key := range diff.ChangedKeys() {
		response.Diffs = append(response.Diffs, string(key))
	}
	response.Replaces = slices.Sorted(maps.Keys(replaces))
	response.DetailedDiff = map[string]*pulumirpc.PropertyDiff{}
	for path, change := range plugin.NewDetailedDiffFromObjectDiff(diff, true) {
		plain := index.ReplaceAllString(path, "")
		if slices.ContainsFunc(replaced, func(r string) bool { return within(plain, r) || within(r, plain) }) {
			change = change.ToReplace()
		}
		response.DetailedDiff[path] = &pulumirpc.PropertyDiff{
			Kind: pulumirpc.PropertyDiff_Kind(change.Kind), InputDiff: change.InputDiff,
		}
	}
}

var (
	index  = regexp.MustCompile(`\[[^\]]*\]`)
	madeUp = regexp.MustCompile(`-[0-9a-f]{7}$`)
)

// keepsName says that the program has given a name that the replacement has as well: two of one name cannot exist at
// the same time.
func (k kind) keepsName(olds, news resource.PropertyMap, urn resource.URN) bool {
	name, given := news[resource.PropertyKey(k.name)]
	if k.name == "" || !given || !name.DeepEquals(olds[resource.PropertyKey(k.name)]) {
		return false
	}
	return !name.IsString() || madeUp.ReplaceAllString(name.StringValue(), "") != urn.Name()
}

func sameDocument(a, b resource.PropertyValue) bool {
	if !a.IsString() || !b.IsString() {
		return false
	}
	var x, y any
	return json.Unmarshal([]byte(a.StringValue()), &x) == nil &&
		json.Unmarshal([]byte(b.StringValue()), &y) == nil && reflect.DeepEqual(x, y)
}
