package config

import "fmt"

// networkMarks are the class of the load balancer, as long as there is one.
func (c *Config) networkMarks() []mark {
	const path = ingressPath + ".traefik.service.loadBalancerClass"
	t := c.Network.Ingress.Traefik
	if t == nil || t.Service.Type != ServiceLoadBalancer {
		return nil
	}
	return []mark{{path, path, t.Service.LoadBalancerClass, otherLoadBalancer}}
}

// otherLoadBalancer follows the API server, which refuses another class on a
// Service that stays a LoadBalancer. Source: the Kubernetes API reference,
// ServiceSpec.loadBalancerClass.
func otherLoadBalancer(present, next string) (string, error) {
	const how = "Kubernetes never moves a Service to another class; to get a new load balancer, with a new address, have service.type NodePort for one up"
	switch present {
	case next:
		return "", nil
	case "":
		return "is not allowed: there is a load balancer of the environment's default class, and " + how, nil
	}
	return fmt.Sprintf("must be %q, which it is now: %s", present, how), nil
}
