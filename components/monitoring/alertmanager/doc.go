// Package alertmanager describes what sends people the alerts of the platform: its routes, what it leaves unsaid, and the
// custom resource that the Prometheus operator makes pods of.
//
// An alert goes to the receiver of every route that matches it, and to the default receiver when none does. What one
// component has to say is one notification, whatever the number of its alerts. While something is known
// to be broken, lesser alerts about the same are held back.
package alertmanager
