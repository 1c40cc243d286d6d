// Package workload holds the policies that every workload of the platform
// follows, one function each: resource classes, placement over zones, disruption budgets, and pod security.
//
// They are transforms over the objects of package manifest, so they treat a
// chart's Deployment like one that a component wrote itself.
package workload
