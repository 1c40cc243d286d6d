package manifest_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// whole is a component of Secrets.
type whole struct {
	pulumi.ResourceState
	manifest.Members
}

// dependencies remembers what resources depend on.
type dependencies struct {
	sync.Mutex
	of map[string]int
}

func (d *dependencies) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	d.Lock()
	defer d.Unlock()
	d.of[args.Name] = len(args.RegisterRPC.GetDependencies())
	return args.Name, args.Inputs, nil
}

func (d *dependencies) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// Who depends on a component waits for all of it, also right after it was made: with the engine's own DependsOn some do not.
func TestReadyMeansAllMembers(t *testing.T) {
	const size = 20
	d := &dependencies{of: map[string]int{}}
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		kubernetes := &provider{}
		if err := ctx.RegisterResource("pulumi:providers:kubernetes", "cluster", pulumi.Map{}, kubernetes); err != nil {
			return err
		}
		for i := range 50 {
			first := &whole{}
			if err := ctx.RegisterComponentResource("test:index:Component", fmt.Sprint("first", i), first); err != nil {
				return err
			}
			if err := registerSecrets(ctx, kubernetes, first, fmt.Sprint("a", i), size); err != nil {
				return err
			}
			second := &whole{}
			if err := ctx.RegisterComponentResource("test:index:Component", fmt.Sprint("second", i), second, first.Ready()); err != nil {
				return err
			}
		}
		return nil
	}, pulumi.WithMocks("project", "stack", d)))
	for i := range 50 {
		assert.Equal(t, size, d.of[fmt.Sprint("second", i)])
	}
}

func registerSecrets(ctx *pulumi.Context, kubernetes pulumi.ProviderResource, parent pulumi.Resource, prefix string, count int) error {
	r := &manifest.Registrar{Ctx: ctx, Parent: parent, Provider: kubernetes}
	for i := range count {
		set, err := manifest.Typed(&corev1.Secret{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: fmt.Sprint(prefix, "-", i)},
		})
		if err != nil {
			return err
		}
		if _, err := r.Register(set); err != nil {
			return err
		}
	}
	return nil
}
