package process

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Ready runs the container's readiness probe.
func (p *Process) Ready(ctx context.Context) error {
	probe := p.Container.Spec.ReadinessProbe
	switch {
	case probe != nil && probe.Exec != nil:
		out, err := p.Exec(ctx, probe.Exec.Command...)
		if err != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(out))
		}
		return nil
	case probe != nil && probe.HTTPGet != nil:
		return p.Container.get(ctx, probe.HTTPGet)
	}
	return fmt.Errorf("container %s has no readiness probe that is a command or a request", p.Container.Spec.Name)
}

// probes are sent as a kubelet does it: a new connection each time, and certificates are not verified.
var probes = &http.Client{
	Timeout: 5 * time.Second,
	Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // #nosec G402 -- as kubelets do
	},
}

// get sends the request of a probe to the pod's address.
func (c *Container) get(ctx context.Context, action *corev1.HTTPGetAction) error {
	port, err := c.port(action.Port)
	if err != nil {
		return err
	}
	scheme := strings.ToLower(string(action.Scheme))
	if scheme == "" {
		scheme = "http"
	}
	url := scheme + "://" + net.JoinHostPort(c.address, strconv.Itoa(port)) + action.Path
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := probes.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return nil
}

// port is the number of a port that may be given by its name.
func (c *Container) port(port intstr.IntOrString) (int, error) {
	if port.Type == intstr.Int {
		return port.IntValue(), nil
	}
	for _, p := range c.Spec.Ports {
		if p.Name == port.StrVal {
			return int(p.ContainerPort), nil
		}
	}
	return 0, fmt.Errorf("container %s has no port %q", c.Spec.Name, port.StrVal)
}
