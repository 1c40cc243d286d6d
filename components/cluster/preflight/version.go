package preflight

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/util/version"
)

// The minor versions of Kubernetes 1 that are supported, from the oldest one, and tested, up to the newest one.
const (
	OldestMinor = 31
	NewestMinor = 37
)

func (i *inspector) version(context.Context) error {
	const check = "version"
	info, err := i.client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	v, err := version.ParseGeneric(info.GitVersion)
	if err != nil {
		return fmt.Errorf("version of the API server %q: %w", info.GitVersion, err)
	}
	switch {
	case v.LessThan(version.MustParseGeneric(fmt.Sprintf("1.%d.0", OldestMinor))):
		i.report(Error, check, "Kubernetes "+info.GitVersion, fmt.Sprintf("1.%d or newer", OldestMinor),
			"Upgrade the cluster.")
	case v.AtLeast(version.MustParseGeneric(fmt.Sprintf("1.%d.0", NewestMinor+1))):
		i.report(Warning, check, "Kubernetes "+info.GitVersion, fmt.Sprintf("1.%d to 1.%d, which are tested", OldestMinor, NewestMinor),
			"Try it on a cluster that does not matter first.")
	}
	return nil
}
