package aws

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Account registers the resources of a component.
type Account struct {
	Ctx      *pulumi.Context
	Provider pulumi.ProviderResource
	Parent   pulumi.Resource
	// Include is given each resource once it is registered.
	Include func(...pulumi.Resource)
	// Tags are put on everything that can have tags.
	Tags map[string]string
}

// Register registers a resource of which nothing but its ARN is read. What the inputs have as tags is added to those of
// the account.
func (a Account) Register(token, name string, inputs pulumi.Map, opts ...pulumi.ResourceOption) (*Resource, error) {
	r := &Resource{}
	return r, a.RegisterInto(token, name, inputs, r, opts...)
}

// RegisterInto registers a resource whose outputs are read into the fields of r, by their pulumi tags.
func (a Account) RegisterInto(
	token, name string, inputs pulumi.Map, r pulumi.CustomResource, opts ...pulumi.ResourceOption,
) error {
	if own, _ := inputs["tags"].(pulumi.StringMap); Taggable(token) && len(own)+len(a.Tags) > 0 {
		inputs["tags"] = a.Tagged(own)
	}
	opts = append([]pulumi.ResourceOption{pulumi.Parent(a.Parent), pulumi.Provider(a.Provider)}, opts...)
	if err := a.Ctx.RegisterResource(token, name, inputs, r, opts...); err != nil {
		return fmt.Errorf("register %s %s: %w", token, name, err)
	}
	a.Include(r)
	return nil
}

// Tagged are the tags of the account and a resource's own, which count where they differ.
func (a Account) Tagged(own pulumi.StringMap) pulumi.StringMap {
	tags := pulumi.ToStringMap(a.Tags)
	maps.Copy(tags, own)
	return tags
}

// keyDeletionDays is how long a deleted key can be brought back, and with it everything that it encrypts: the most that
// AWS allows.
const keyDeletionDays = 30

// KeyNames are those of a key.
type KeyNames struct {
	// Key and KeyAlias are the names of both resources in the program.
	Key, KeyAlias string
	// Alias is below alias/, for people who look for the key, which itself has only a random ID.
	Alias string
}

// Key registers a key that encrypts, with yearly rotation, and returns its ARN. It has AWS' default policy: the account's
// IAM policies say who may use it.
func (a Account) Key(names KeyNames, description string, opts ...pulumi.ResourceOption) (pulumi.StringInput, error) {
	key, err := a.Register(Key, names.Key, pulumi.Map{
		"description":          pulumi.String(description),
		"enableKeyRotation":    pulumi.Bool(true),
		"deletionWindowInDays": pulumi.Int(keyDeletionDays),
	}, opts...)
	if err != nil {
		return nil, err
	}
	_, err = a.Register(KeyAlias, names.KeyAlias, pulumi.Map{
		"name": pulumi.String("alias/" + names.Alias), "targetKeyId": key.ID(),
	})
	return key.ARN, err
}
