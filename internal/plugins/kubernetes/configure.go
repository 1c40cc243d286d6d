package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// settings are the provider resource's inputs, as far as they concern plain objects.
type settings struct {
	namespace             string
	deleteUnreachable     bool
	skipUpdateUnreachable bool
	configMapMutable      bool
	secretMutable         bool
	upsert                bool
	patchForce            bool
}

// CheckConfig refuses what only the published plugin can do.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	news, err := decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("provider configuration: %w", err)
	}
	response := &pulumirpc.CheckResponse{Inputs: req.GetNews()}
	refuse := func(key, reason string) {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{Property: key, Reason: reason})
	}
	if v, ok := plain(news["enableServerSideApply"]); ok && isFalse(v) {
		refuse("enableServerSideApply",
			"the built-in kubernetes plugin supports server-side apply only; remove it or set it to true")
	}
	if v, ok := plain(news["renderYamlToDirectory"]); ok && v.IsString() && v.StringValue() != "" {
		refuse("renderYamlToDirectory", "the built-in kubernetes plugin cannot render to a directory; remove it")
	}
	return response, nil
}

func isFalse(v resource.PropertyValue) bool {
	return v.IsBool() && !v.BoolValue() || v.IsString() && v.StringValue() == "false"
}

// DiffConfig decides whether a changed configuration means another cluster, and so new objects. With a
// clusterIdentifier only its change does; without one, a change of the active cluster in the kubeconfig.
func (p *Provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := decode(req.GetOlds())
	if err != nil {
		return nil, fmt.Errorf("old provider configuration: %w", err)
	}
	news, err := decode(req.GetNews())
	if err != nil {
		return nil, fmt.Errorf("new provider configuration: %w", err)
	}
	diff := olds.Diff(news)
	if diff == nil {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_SOME}
	for _, key := range diff.ChangedKeys() {
		response.Diffs = append(response.Diffs, string(key))
	}
	switch {
	case diff.Updated("clusterIdentifier"):
		response.Replaces = []string{"clusterIdentifier"}
	case diff.Same("clusterIdentifier") && news.HasValue("clusterIdentifier"):
		// The user vouches that it is the same cluster.
	default:
		response.Replaces, err = otherCluster(olds, news, response.Diffs)
	}
	return response, err
}

// otherCluster returns the changed keys that lead to another cluster.
func otherCluster(olds, news resource.PropertyMap, changed []string) ([]string, error) {
	keys := []string{"kubeconfig", "context", "cluster"}
	for _, key := range keys {
		// An unknown value may be anything: assume the worst.
		if v := news[resource.PropertyKey(key)]; v.ContainsUnknowns() {
			return []string{key}, nil
		}
	}
	before, err := activeCluster(olds)
	if err != nil {
		return nil, err
	}
	after, err := activeCluster(news)
	if err != nil {
		return nil, err
	}
	if before == nil || after == nil || reflect.DeepEqual(before, after) {
		return nil, nil
	}
	return slices.DeleteFunc(keys, func(key string) bool { return !slices.Contains(changed, key) }), nil
}

func activeCluster(inputs resource.PropertyMap) (*clientcmdapi.Cluster, error) {
	text := ""
	if v, ok := plain(inputs["kubeconfig"]); ok {
		switch {
		case v.IsString():
			text = v.StringValue()
		case v.IsObject():
			raw, err := json.Marshal(v.ObjectValue().Mappable())
			if err != nil {
				return nil, fmt.Errorf("kubeconfig: %w", err)
			}
			text = string(raw)
		}
	}
	if text == "" {
		return &clientcmdapi.Cluster{}, nil
	}
	config, err := parseKubeconfig(text)
	if err != nil {
		return nil, err
	}
	name := config.CurrentContext
	if v, ok := plain(inputs["context"]); ok && v.IsString() {
		name = v.StringValue()
	}
	active := config.Contexts[name]
	if active == nil {
		return &clientcmdapi.Cluster{}, nil
	}
	cluster := active.Cluster
	if v, ok := plain(inputs["cluster"]); ok && v.IsString() {
		cluster = v.StringValue()
	}
	return config.Clusters[cluster], nil
}

// Configure connects to the API server. One that cannot be reached is no error yet: a preview goes on without it.
func (p *Provider) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	if err := sessionOf(ctx).configure(p.options, req); err != nil {
		return nil, err
	}
	p.remember(req)
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets: true, SupportsPreview: true, SupportsAutonamingConfiguration: true,
	}, nil
}

func (s *session) configure(options Options, req *pulumirpc.ConfigureRequest) error {
	vars, err := variables(req)
	if err != nil {
		return err
	}
	flag := func(key, env string) bool {
		if v, ok := vars[key]; ok {
			return v == "true"
		}
		return os.Getenv(env) == "true"
	}
	set := settings{
		namespace:             vars["namespace"],
		deleteUnreachable:     flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
		skipUpdateUnreachable: flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
		configMapMutable:      flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
		secretMutable:         flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
		upsert:                flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
		patchForce:            flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
	}

	config, namespace, err := clientConfig(options.Target, vars)
	if namespace != "" {
		set.namespace = namespace
	}
	var reached *cluster
	if err == nil {
		if err := tune(config, vars); err != nil {
			return err
		}
		reached, err = connect(config, s)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.settings, s.cluster, s.reason, s.done, s.adopts = set, reached, "", true, options.Adopt
	if err != nil {
		s.cluster, s.reason = nil, err.Error()
	}
	return nil
}

// variables returns the provider resource's inputs as texts; what is not a text is JSON.
func variables(req *pulumirpc.ConfigureRequest) (map[string]string, error) {
	args, err := decode(req.GetArgs())
	if err != nil {
		return nil, fmt.Errorf("provider configuration: %w", err)
	}
	vars := map[string]string{}
	for key, v := range args {
		v, ok := plain(v)
		switch {
		case !ok:
		case v.IsString():
			vars[string(key)] = v.StringValue()
		default:
			raw, err := json.Marshal(v.Mappable())
			if err != nil {
				return nil, fmt.Errorf("provider configuration: %s: %w", key, err)
			}
			vars[string(key)] = string(raw)
		}
	}
	return vars, nil
}

// clientConfig resolves where the API server is, and the namespace for objects that name none.
func clientConfig(target *rest.Config, vars map[string]string) (*rest.Config, string, error) {
	namespace := vars["namespace"]
	if target != nil {
		if namespace == "" {
			namespace = "default"
		}
		return rest.CopyConfig(target), namespace, nil
	}
	overrides := &clientcmd.ConfigOverrides{
		CurrentContext: vars["context"],
		Context:        clientcmdapi.Context{Cluster: vars["cluster"], Namespace: namespace},
	}
	var loader clientcmd.ClientConfig
	if text := vars["kubeconfig"]; text != "" {
		parsed, err := parseKubeconfig(text)
		if err != nil {
			return nil, namespace, err
		}
		loader = clientcmd.NewDefaultClientConfig(*parsed, overrides)
	} else {
		loader = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			clientcmd.NewDefaultClientConfigLoadingRules(), overrides)
	}
	if resolved, _, err := loader.Namespace(); err == nil {
		namespace = resolved
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, namespace, fmt.Errorf("kubeconfig: %w", err)
	}
	return config, namespace, nil
}

// parseKubeconfig reads a kubeconfig given as a path or as content.
func parseKubeconfig(pathOrContent string) (*clientcmdapi.Config, error) {
	path := pathOrContent
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			path = filepath.Join(home, rest)
		}
	}
	// Content is no path: the operating system refuses newlines and lengths like it by not finding the file.
	if content, err := os.ReadFile(path); err == nil {
		config, err := clientcmd.Load(content)
		if err != nil {
			return nil, fmt.Errorf("kubeconfig %s: %w", path, err)
		}
		// Certificate paths in a file are relative to the file.
		for _, cluster := range config.Clusters {
			cluster.LocationOfOrigin = path
		}
		for _, user := range config.AuthInfos {
			user.LocationOfOrigin = path
		}
		return config, clientcmd.ResolveLocalPaths(config)
	}
	config, err := clientcmd.Load([]byte(pathOrContent))
	if err != nil || len(config.Clusters) == 0 {
		// The parser's own message quotes the text, which holds credentials.
		return nil, errors.New("kubeconfig: neither a readable file nor valid kubeconfig content")
	}
	return config, nil
}

// tune sets the client's limits, from the provider resource, the environment or else defaults: many objects are applied
// at once, more than client-go allows by default.
func tune(config *rest.Config, vars map[string]string) error {
	var given struct {
		QPS     *float64 `json:"qps"`
		Burst   *float64 `json:"burst"`
		Timeout *float64 `json:"timeout"` // seconds, of one request
	}
	if text := vars["kubeClientSettings"]; text != "" {
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			return fmt.Errorf("kubeClientSettings: %w", err)
		}
	}
	for _, limit := range []struct {
		given     *float64
		env       string
		otherwise float64
		set       func(float64)
	}{
		{given.QPS, "PULUMI_K8S_CLIENT_QPS", 50, func(v float64) { config.QPS = float32(v) }},
		{given.Burst, "PULUMI_K8S_CLIENT_BURST", 120, func(v float64) { config.Burst = int(v) }},
		{given.Timeout, "PULUMI_K8S_CLIENT_TIMEOUT", 0, func(v float64) {
			config.Timeout = time.Duration(v * float64(time.Second))
		}},
	} {
		value := limit.otherwise
		if text := os.Getenv(limit.env); limit.given != nil {
			value = *limit.given
		} else if text != "" {
			var err error
			if value, err = strconv.ParseFloat(text, 64); err != nil {
				return fmt.Errorf("%s: %w", limit.env, err)
			}
		}
		limit.set(value)
	}
	return nil
}
