package keycloak

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/telekom/controlplane-infrastructure/internal/plugins/protocol"
)

// Version is the release of the published plugin whose types this one has.
const Version = "5.2.1"

// Options decide where realms are.
type Options struct {
	// Memory keeps realms in memory. Nil: they are on the server that the provider resource names.
	Memory *Memory
	// Adopt says whether a creation takes over what exists already under the same name: after a run that was killed before
	// the state had it. Nil: never.
	Adopt func() bool
}

// Provider serves any number of provider resources.
type Provider struct {
	protocol.Base
	memory   *memory // nil: servers
	adopts   func() bool
	patience time.Duration

	mu sync.Mutex
	// sessions are by the engine's connection: one for each provider resource in an operation.
	sessions map[string]*session
}

// New returns a provider that is ready to be registered with a gRPC server.
func New(o Options) *Provider {
	p := &Provider{
		Base:     protocol.Base{Name: "keycloak", Version: Version, Secrets: true},
		patience: patience, sessions: map[string]*session{}, adopts: o.Adopt,
	}
	if o.Memory != nil {
		p.memory = newMemory(*o.Memory)
	}
	return p
}

// configuration are the inputs of a provider resource.
var configuration = []property{
	{name: "url", required: true, check: address},
	{name: "basePath"},
	{name: "realm"},
	{name: "clientId", required: true},
	{name: "clientSecret", secret: true},
	{name: "username"},
	{name: "password", secret: true},
	{name: "rootCaCertificate"},
	{name: "tlsInsecureSkipVerify", form: flag},
	{name: "initialLogin", form: flag},
	{name: "clientTimeout", form: number},
	{name: "additionalHeaders", form: dict},
}

func address(v any) string {
	u, err := url.Parse(v.(string))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Sprintf("is %q; want an address such as https://iris.example.com", v)
	}
	return ""
}

// addressed are inputs that say where the plugin itself comes from.
var addressed = []resource.PropertyKey{"version", "pluginDownloadURL", "__internal", "__defaults"}

// CheckConfig refuses what is missing or mistaken.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	news, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("provider configuration: %w", err)
	}
	in := announced(settle(news))
	found := map[string]string{}
	problems("", configuration, in, found)
	if _, given := in["password"]; in["username"] != nil && !given {
		found["password"] = "is required with a username"
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: failures(found)}, nil
}

func failures(found map[string]string) (all []*pulumirpc.CheckFailure) {
	for _, name := range slices.Sorted(maps.Keys(found)) {
		all = append(all, &pulumirpc.CheckFailure{Property: name, Reason: found[name]})
	}
	return all
}

// settle returns the known values of a provider's inputs, in their forms: engines pass all but texts as JSON in texts.
func settle(config resource.PropertyMap) (in values, unknown []string) {
	config = config.Copy()
	for _, key := range addressed {
		delete(config, key)
	}
	in, unknown = plain(config)
	for _, p := range configuration {
		if s, ok := in[p.name].(string); ok && p.form != text && s != "" {
			var v any
			if json.Unmarshal([]byte(s), &v) == nil && p.fits(v) {
				in[p.name] = v
			}
		}
	}
	return in, unknown
}

// DiffConfig never replaces a provider: what is in a Keycloak stays what it is when the address changes.
func (p *Provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := protocol.Decode(req.GetOlds())
	if err != nil {
		return nil, fmt.Errorf("old provider configuration: %w", err)
	}
	news, err := protocol.Decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("provider configuration: %w", err)
	}
	old, _ := settle(olds)
	now, unknown := settle(news)
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, Diffs: unknown}
	for _, c := range configuration {
		if !slices.Contains(unknown, c.name) && !c.same(old[c.name], now[c.name]) {
			response.Diffs = append(response.Diffs, c.name)
		}
	}
	if len(response.Diffs) > 0 {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	return response, nil
}

// Configure remembers how to reach the server of a provider resource.
func (p *Provider) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	config, err := protocol.Decode(req.GetArgs())
	if err != nil {
		return nil, fmt.Errorf("provider configuration: %w", err)
	}
	in, unknown := settle(config)
	s := settings{
		url: textOf(in, "url", ""), basePath: textOf(in, "basePath", ""), realm: textOf(in, "realm", "master"),
		clientID: textOf(in, "clientId", ""), clientSecret: textOf(in, "clientSecret", ""),
		username: textOf(in, "username", ""), password: textOf(in, "password", ""),
		authority: textOf(in, "rootCaCertificate", ""), skipVerify: in["tlsInsecureSkipVerify"] == true,
		timeout: 15 * time.Second, headers: map[string]string{}, unknown: unknown,
	}
	if n, ok := in["clientTimeout"].(float64); ok && n > 0 {
		s.timeout = time.Duration(n) * time.Second
	}
	for key, value := range object(in["additionalHeaders"]) {
		s.headers[key] = plainText(value)
	}
	opened, err := p.open(s)
	if err != nil {
		return nil, err
	}
	// Without a wish to the contrary the published plugin logs in at once, too; but a preview of a stack that is still
	// to come has no server, so here the first question does it.
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[protocol.Connection(ctx)] = opened
	return p.Base.Configure(ctx, req)
}

// Cancel ends the waiting for servers that are starting.
func (p *Provider) Cancel(ctx context.Context, _ *emptypb.Empty) (*emptypb.Empty, error) {
	if s, err := p.session(ctx); err == nil {
		s.stop()
	}
	return &emptypb.Empty{}, nil
}

// session returns the session of a connection. An engine that has long been idle opens another connection, and does not
// configure it again; that is no problem as long as all provider resources mean the same server.
func (p *Provider) session(ctx context.Context) (*session, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, configured := p.sessions[protocol.Connection(ctx)]; configured {
		return s, nil
	}
	var found *session
	for _, s := range p.sessions {
		switch {
		case len(s.unknown) > 0:
		case found == nil || reflect.DeepEqual(found.settings, s.settings):
			found = s
		default:
			return nil, errLost
		}
	}
	if found == nil {
		return nil, errLost
	}
	return found, nil
}

var errLost = errors.New("the engine has lost its connection to the Keycloak provider; run the operation again")

func textOf(in values, key, otherwise string) string {
	if s := plainText(in[key]); s != "" {
		return s
	}
	return otherwise
}

// plain opens secrets, and leaves out what is not known yet.
func plain(properties resource.PropertyMap) (known values, unknown []string) {
	known = values{}
	for key, v := range properties {
		switch {
		case v.ContainsUnknowns():
			unknown = append(unknown, string(key))
		case !v.IsNull():
			known[string(key)] = unveil(v)
		}
	}
	slices.Sort(unknown)
	return known, unknown
}

func unveil(v resource.PropertyValue) any {
	for v.IsSecret() || v.IsOutput() {
		if v.IsSecret() {
			v = v.SecretValue().Element
		} else {
			v = v.OutputValue().Element
		}
	}
	switch {
	case v.IsObject():
		in, _ := plain(v.ObjectValue())
		return in
	case v.IsArray():
		all := []any{}
		for _, each := range v.ArrayValue() {
			all = append(all, unveil(each))
		}
		return all
	default:
		return v.Mappable()
	}
}
