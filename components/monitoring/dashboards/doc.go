// Package dashboards has the dashboards of the platform, built with Grafana's Foundation SDK: an overview with every
// component in red or green, and one for each component that is installed. There is a file for each; look.go has what they
// share, so that all of them look and work alike.
//
// Every panel says what good looks like. What a panel asks for exists: the metrics are on the lists of tests/metrics, or are
// recorded by package rules, and tests hold the queries to that.
package dashboards
