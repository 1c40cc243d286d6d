package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/telekom/controlplane-infrastructure/internal/aws"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// Version is the release of the published plugin whose types this one has.
const Version = aws.PluginVersion

// DefaultAccount is the simulated account, unless a provider resource assumes a role of another one.
const DefaultAccount = "123456789012"

// Options decide where the account is kept.
type Options struct {
	// StateFile is the file that holds the account; its directory must exist. Empty: the account ends with the plugin.
	StateFile string
}

// Provider serves any number of provider resources, all with the same account.
type Provider struct {
	protocol.Base
	store *store

	mu sync.Mutex
	// places are where the engine's connections want their resources: one for each provider resource in an operation.
	places map[string]place
}

// New returns a provider that is ready to be registered with a gRPC server.
func New(options Options) *Provider {
	return &Provider{
		// Secrets stay with the engine, which knows them by their name when they come back.
		Base:   protocol.Base{Name: "aws", Version: Version},
		store:  &store{file: options.StateFile, id: DefaultAccount},
		places: map[string]place{},
	}
}

// CheckConfig wants a region: without one, the published plugin takes it from the environment, and a run would depend
// on who runs it.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	response := &pulumirpc.CheckResponse{Inputs: req.GetNews()}
	if req.GetNews().GetFields()["region"] == nil {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{
			Property: "region", Reason: "is required: an AWS region, such as eu-central-1",
		})
	}
	return response, nil
}

// Configure remembers the region and the account of a provider resource.
func (p *Provider) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	config, err := protocol.Decode(req.GetArgs())
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	region := known(config)["region"]
	at := place{account: assumed(config["assumeRole"])}
	at.region, _ = region.(string)
	at.partition = aws.Partition(at.region)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.places[protocol.Connection(ctx)] = at
	return p.Base.Configure(ctx, req)
}

// place returns where the resources of a connection are. An engine that has long been idle opens another connection,
// and does not configure it again; that is no problem as long as all provider resources mean the same place.
func (p *Provider) place(ctx context.Context, a *account) (place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, configured := p.places[protocol.Connection(ctx)]
	for _, other := range p.places {
		if configured {
			break
		}
		if at != (place{}) && at != other {
			return at, errors.New("the engine has lost its connection to the AWS provider; run the operation again")
		}
		at = other
	}
	if at.account == "" {
		at.account = a.ID
	}
	return at, nil
}

var roleAccount = regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/`)

// assumed is the account of an assumed role. Engines pass objects of a configuration as text.
func assumed(role resource.PropertyValue) string {
	settings := values{}
	switch {
	case role.IsObject():
		settings = known(role.ObjectValue())
	case role.IsString():
		// What is no JSON has no role in it.
		_ = json.Unmarshal([]byte(role.StringValue()), &settings)
	}
	if match := roleAccount.FindStringSubmatch(text(settings, "roleArn")); match != nil {
		return match[1]
	}
	return ""
}

// known returns those properties that are known throughout.
func known(properties resource.PropertyMap) values {
	out := values{}
	for key, v := range properties {
		if !v.ContainsUnknowns() {
			out[string(key)] = resource.PropertyMap{key: v}.Mappable()[string(key)]
		}
	}
	return out
}

func properties(v values) resource.PropertyMap { return resource.NewPropertyMapFromMap(v) }
