package manifest

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Members are what a component consists of; it embeds them beside its pulumi.ResourceState.
//
// Depending on a component itself means, to the engine, depending on those of its children that it knows by the time it
// looks, and it gets to know them concurrently. So a component that has just been made may seem to have none.
type Members struct{ all []pulumi.Resource }

// Include adds members. A [Registrar] whose parent has Members does so for everything that it registers.
func (m *Members) Include(more ...pulumi.Resource) { m.all = append(m.all, more...) }

// All returns the members.
func (m *Members) All() []pulumi.Resource { return m.all }

// Ready makes a resource wait for all members.
func (m *Members) Ready() pulumi.ResourceOption { return pulumi.DependsOn(m.all) }
