package config

import (
	"fmt"
	"time"
)

// notice is how long before standard support of a version ends there is a
// warning: as long as AWS announces it before.
const notice = 60 * day

// Warnings returns what is allowed at a time, but should not stay so: a version
// of EKS that has no standard support, or soon has none, what does not survive
// the loss of a zone although the profile does, and what keeps add-ons from
// starting.
func (c *Config) Warnings(now time.Time) []Problem {
	e := c.Cluster.EKS
	if e == nil {
		return nil
	}
	var warnings []Problem
	warn := func(path, value, message string) {
		warnings = append(warnings, Problem{Path: display(tokens(path)), Value: quote(value), Message: message})
	}
	if known, ok := eksVersion(e.Version); ok {
		if message := known.warning(e.Support, now); message != "" {
			warn(eksPath+".version", e.Version, message)
		}
	}
	if c.Availability == Zonal && e.VPC.NATGateways == NATSingle {
		warn(vpcPath+".natGateways", string(NATSingle), "has every zone lose the internet, and with it images and APIs of AWS, when the one zone with the gateway fails; zonal does not")
	}
	if e.AddOns.VPCCNI.NetworkPolicyMode == PoliciesStrict {
		// Source: "Policy enforcement modes" in the user guide of Amazon EKS.
		warn(eksPath+".addOns.vpcCni.networkPolicyMode", string(PoliciesStrict), "isolates add-ons in kube-system, too, so that CoreDNS and others never start on a new cluster; it has to be created with standard, and be given policies that let them work, before it may be strict")
	}
	return warnings
}

// warning says what AWS does with a cluster of this version.
func (v EKSVersion) warning(support EKSSupport, now time.Time) string {
	standard, extended := v.StandardSupportEnds.Format(time.DateOnly), v.ExtendedSupportEnds.Format(time.DateOnly)
	switch {
	case !now.Before(v.ExtendedSupportEnds):
		return fmt.Sprintf("has no support by EKS any more since %s: no new cluster can have it, and AWS upgrades those that do, at any time", extended)
	case !now.Before(v.StandardSupportEnds) && support == SupportExtended:
		return fmt.Sprintf("is outside of standard support since %s: the cluster costs more per hour, and on %s extended support ends, too", standard, extended)
	case !now.Before(v.StandardSupportEnds):
		return fmt.Sprintf("is outside of standard support since %s: with supportType standard no new cluster can have it, and AWS upgrades those that do, at any time; with supportType extended it is supported until %s, at a price per hour", standard, extended)
	case !now.Before(v.StandardSupportEnds.Add(-notice)):
		what := "AWS upgrades the cluster then"
		if support == SupportExtended {
			what = "the cluster costs more per hour from then on"
		}
		return fmt.Sprintf("is in standard support until %s only: %s", standard, what)
	}
	return ""
}
