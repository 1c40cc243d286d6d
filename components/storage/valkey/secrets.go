package valkey

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// passwords are one per user.
type passwords struct {
	client, replication, sentinel, check, maintenance, exporter, peer pulumi.StringOutput
}

func (b *builder) makePasswords(ctx *pulumi.Context, parent pulumi.Resource) (p passwords, err error) {
	create := func(common part.Common, wanted map[string]*pulumi.StringOutput) error {
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			if *wanted[name], err = common.Password(ctx, parent, "valkey-"+name); err != nil {
				return err
			}
		}
		return nil
	}
	if err := create(b.args.Common, map[string]*pulumi.StringOutput{"client": &p.client, "exporter": &p.exporter}); err != nil {
		return p, err
	}
	// With these, pods log in at each other. They are not made anew: pods are replaced one after the other, and a new one
	// that the others do not know would never be in step, so that the next one would never be replaced.
	between := b.args.Common
	between.PasswordGeneration = 1
	return p, create(between, map[string]*pulumi.StringOutput{
		"check": &p.check, "maintenance": &p.maintenance, "replication": &p.replication, "sentinel": &p.sentinel, "peer": &p.peer,
	})
}

// user is a line of an access list.
type user struct {
	name, rules string
	password    pulumi.StringOutput
}

// serverUsers are who may do what on a server. Clients may read and write every key, but not administer the server, drop
// all keys at once, list them all, or use channels: the sentinels trust what is said on one of them. A single server
// knows replicas and sentinels too: it is where those start from that are added later.
func (b *builder) serverUsers() []user {
	return []user{
		{User, "~* resetchannels +@all -@admin -@dangerous +info", b.passwords.client},
		{"check", "+ping +info", b.passwords.check},
		{"exporter", "+ping +info +client|setname +slowlog|len +slowlog|get +latency|latest +latency|histogram", b.passwords.exporter},
		{"maintenance", "+config|set +client|pause", b.passwords.maintenance},
		{"replication", "+ping +psync +replconf", b.passwords.replication},
		{"sentinel", "resetchannels &__sentinel__:hello +ping +info +role +multi +exec +slaveof +replicaof +failover " +
			"+config|rewrite +publish +subscribe +client|setname +client|kill +script|kill", b.passwords.sentinel},
	}
}

// sentinelUsers are who may do what on a sentinel. Nobody may without a password.
func (b *builder) sentinelUsers() []user {
	const look = "+ping +sentinel|get-master-addr-by-name +sentinel|ckquorum +sentinel|replicas"
	return []user{
		{"check", look, b.passwords.check},
		{"maintenance", "+sentinel|failover", b.passwords.maintenance},
		{"peer", "resetchannels &__sentinel__:hello +ping +publish +sentinel|is-master-down-by-addr +client|setname", b.passwords.peer},
	}
}

// accessList is the file of the users, with hashes in place of passwords.
func accessList(users []user) pulumi.StringOutput {
	var hashes []any
	for _, u := range users {
		hashes = append(hashes, u.password)
	}
	return pulumi.All(hashes...).ApplyT(func(values []any) string {
		var list strings.Builder
		if !slices.ContainsFunc(users, func(u user) bool { return u.name == User }) {
			fmt.Fprintf(&list, "user %s off resetkeys resetchannels -@all\n", User)
		}
		for i, u := range users {
			fmt.Fprintf(&list, "user %s on #%s %s\n", u.name, digest(values[i].(string)), withDefaults(u.rules))
		}
		return list.String()
	}).(pulumi.StringOutput)
}

// withDefaults has a user start with no right at all.
func withDefaults(rules string) string {
	if strings.Contains(rules, "+@all") {
		return rules
	}
	return "resetkeys resetchannels -@all " + strings.TrimPrefix(rules, "resetchannels ")
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// secrets are what each kind of pod needs to know, and what clients do.
func (b *builder) secrets() (manifest.Set, error) {
	p := b.passwords
	content := map[string]map[string]pulumi.StringOutput{
		SecretName:  {"password": p.client},
		serversName: {"users.acl": accessList(b.serverUsers()), "check": p.check, "maintenance": p.maintenance, "exporter": p.exporter},
	}
	if b.args.replicated() {
		content[serversName]["replication"] = p.replication
		content[sentinelsName] = map[string]pulumi.StringOutput{
			"users.acl": accessList(b.sentinelUsers()), "check": p.check, "sentinel": p.sentinel, "peer": p.peer,
		}
		content[proxiesName] = map[string]pulumi.StringOutput{"check": p.check}
	}
	var sets []manifest.Set
	for _, name := range slices.Sorted(maps.Keys(content)) {
		set, err := manifest.Typed(&corev1.Secret{ObjectMeta: componentOf(name).meta(name)})
		if err != nil {
			return set, err
		}
		for _, key := range slices.Sorted(maps.Keys(content[name])) {
			set.Objects[0].Set(content[name][key], "stringData", key)
		}
		sets = append(sets, set)
	}
	return manifest.Merge(sets...), nil
}

func componentOf(name string) component {
	switch name {
	case sentinelsName:
		return sentinel
	case proxiesName:
		return proxy
	}
	return server
}

// secretVariable is a password in the environment of a container.
func secretVariable(name, secret, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: secret}, Key: key,
	}}}
}
