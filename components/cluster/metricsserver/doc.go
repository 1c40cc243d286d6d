// Package metricsserver provides the API of what nodes and pods use, metrics.k8s.io, on clusters that lack one: horizontal
// autoscalers and `kubectl top` ask it.
//
// Its certificate is the platform's, and the API server verifies it: so it comes after what issues certificates, and is
// ready when the API server has found the API available.
package metricsserver
