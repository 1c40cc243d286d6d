package process

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// Object is a Kubernetes object that a program registers, with its real values.
type Object struct {
	*unstructured.Unstructured
	// Parent is the URN of the component that it belongs to, Protected whether the engine refuses to delete it.
	Parent    string
	Protected bool
	// IgnoreChanges are the paths whose changes the engine leaves alone.
	IgnoreChanges []string
	// UpdateTime is how long an update may take; empty: what the plugin allows.
	UpdateTime string
}

// Objects are all that a program registers, with the Secrets and ConfigMaps that cert-manager and trust-manager make.
type Objects struct {
	All []*Object
	// Others are the resources of other providers, as they are registered.
	Others []pulumi.MockResourceArgs

	t         *testing.T
	issuer    issuer
	addresses []string
}

// Render runs a program on mocks. Random passwords are made up: the same for the same name and keepers, 32 characters.
// Certificates are issued by ca into their Secrets with the names and usages that they ask for; addresses, if given,
// are added to the names of all of them, for clients that are sent there in place of a host name.
func Render(t *testing.T, ca verify.CA, program pulumi.RunFunc, addresses ...string) *Objects {
	t.Helper()
	g := &registrations{}
	require.NoError(t, pulumi.RunErr(program, pulumi.WithMocks("controlplane", "test", g)))
	o := &Objects{All: g.objects, Others: g.others, t: t, issuer: issuer{ca}, addresses: addresses}
	o.issue()
	for _, object := range g.objects {
		if object.GetKind() == "Namespace" && object.GetLabels()[Trust.Label] == Trust.LabelValue {
			o.add(&corev1.ConfigMap{
				TypeMeta:   typeMeta("ConfigMap"),
				ObjectMeta: objectMeta(object.GetName(), Trust.ConfigMap),
				Data:       map[string]string{Trust.Key: ca.Certificate},
			})
		}
	}
	return o
}

// Renew issues all certificates again, with new keys. Processes see them after their Refresh.
func (o *Objects) Renew() {
	o.t.Helper()
	requests := o.Of("Certificate")
	o.All = slices.DeleteFunc(o.All, func(object *Object) bool {
		return object.GetKind() == "Secret" && slices.ContainsFunc(requests, func(request *Object) bool {
			r, err := readRequest(request)
			return err == nil && r.secret == object.GetName() && request.GetNamespace() == object.GetNamespace()
		})
	})
	o.issue()
}

// issue makes the Secrets of all certificates.
func (o *Objects) issue() {
	o.t.Helper()
	for _, request := range o.Of("Certificate") {
		o.add(o.issuer.secret(o.t, request, o.addresses))
	}
}

// Find returns the object of that kind and name; the test ends when there is none.
func (o *Objects) Find(kind, name string) *Object {
	o.t.Helper()
	if object := o.lookup(kind, "", name); object != nil {
		return object
	}
	require.Failf(o.t, "no such object", "%s %s", kind, name)
	return nil
}

// Of returns all objects of a kind.
func (o *Objects) Of(kind string) []*Object {
	var found []*Object
	for _, object := range o.All {
		if object.GetKind() == kind {
			found = append(found, object)
		}
	}
	return found
}

// InOrder are the objects in the order that an API server takes them in: namespaces first, and what makes pods last, when
// all that they need is there. Certificates are not among them: their Secrets are.
func (o *Objects) InOrder() []*Object {
	rank := func(object *Object) int {
		switch object.GetKind() {
		case "Namespace":
			return 0
		case "DaemonSet", "Deployment", "Job", "StatefulSet":
			return 2
		}
		return 1
	}
	sorted := slices.DeleteFunc(slices.Clone(o.All), func(object *Object) bool { return object.GetKind() == "Certificate" })
	slices.SortStableFunc(sorted, func(a, b *Object) int { return rank(a) - rank(b) })
	return sorted
}

// Data is the content of a Secret or ConfigMap.
func (o *Objects) Data(kind, name string) map[string]string {
	o.t.Helper()
	data, err := content(o.Find(kind, name))
	require.NoError(o.t, err)
	return data
}

// lookup finds an object; an empty namespace matches any.
func (o *Objects) lookup(kind, namespace, name string) *Object {
	for _, object := range o.All {
		if object.GetKind() == kind && object.GetName() == name && (namespace == "" || object.GetNamespace() == namespace) {
			return object
		}
	}
	return nil
}

func (o *Objects) add(object runtime.Object) {
	o.t.Helper()
	encoded, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	require.NoError(o.t, err)
	o.All = append(o.All, &Object{Unstructured: &unstructured.Unstructured{Object: encoded}})
}

// content is what a Secret or ConfigMap holds, decoded.
func content(o *Object) (map[string]string, error) {
	data := map[string]string{}
	for _, key := range []string{"data", "stringData", "binaryData"} {
		values, _, err := unstructured.NestedStringMap(o.Object, key)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
		for name, value := range values {
			if key == "binaryData" || key == "data" && o.GetKind() == "Secret" {
				decoded, err := base64.StdEncoding.DecodeString(value)
				if err != nil {
					return nil, fmt.Errorf("%s %s: %s: %w", o.GetKind(), o.GetName(), name, err)
				}
				value = string(decoded)
			}
			data[name] = value
		}
	}
	return data, nil
}

// registrations are the mocks: they accept everything and remember the Kubernetes objects.
type registrations struct {
	mutex   sync.Mutex
	objects []*Object
	others  []pulumi.MockResourceArgs
}

func (g *registrations) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if args.TypeToken == "random:index/randomPassword:RandomPassword" {
		outputs := args.Inputs.Copy()
		outputs["result"] = resource.NewProperty(password(args))
		return args.Name, outputs, nil
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if !strings.HasPrefix(args.TypeToken, "kubernetes:") {
		g.others = append(g.others, args)
		return args.Name + "-id", args.Inputs, nil
	}
	object, err := decode(args)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", args.Name, err)
	}
	g.objects = append(g.objects, object)
	return args.Name + "-id", args.Inputs, nil
}

func (g *registrations) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return nil, fmt.Errorf("the program calls %s, which is not simulated here", args.Token)
}

// decode turns the inputs of a resource into the object that the API server would get.
func decode(args pulumi.MockResourceArgs) (*Object, error) {
	plain, err := plugin.MarshalProperties(args.Inputs, plugin.MarshalOptions{KeepUnknowns: true})
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(plain.AsMap())
	if err != nil {
		return nil, err
	}
	object := &Object{
		Unstructured: &unstructured.Unstructured{}, Parent: args.RegisterRPC.GetParent(),
		Protected: args.RegisterRPC.GetProtect(), IgnoreChanges: args.RegisterRPC.GetIgnoreChanges(),
		UpdateTime: args.RegisterRPC.GetCustomTimeouts().GetUpdate(),
	}
	return object, object.UnmarshalJSON(data)
}

// password is what the random provider would make up, but always the same, until it is to be made anew.
func password(args pulumi.MockResourceArgs) string {
	sum := sha256.Sum256([]byte(args.Name + args.Inputs["keepers"].String()))
	return hex.EncodeToString(sum[:16])
}

// Decode is the object of that kind and name as its type. It must have no field that the type does not know.
func Decode[T any](t *testing.T, o *Objects, kind, name string) T {
	t.Helper()
	var into T
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Find(kind, name).Object, &into, true))
	return into
}

// Names are those of the objects of a kind.
func (o *Objects) Names(kind string) []string {
	all := []string{}
	for _, object := range o.Of(kind) {
		all = append(all, object.GetName())
	}
	return all
}
