package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// startingPeriod is how often a program that is not ready yet is asked. The readiness probe's own delay and period are
// meant for machines that are slow and busy; asking earlier changes nothing but the time that is waited.
const startingPeriod = 250 * time.Millisecond

// probe follows the health of a process until ctx ends. When it has to be restarted the reason is sent.
func (c *container) probe(ctx context.Context, unhealthy chan<- string) {
	if p := c.spec.StartupProbe; p != nil {
		failures := 0
		for !c.healthy(ctx, "startup", p) {
			if failures++; failures >= threshold(p.FailureThreshold) {
				report(unhealthy, fmt.Sprintf("Container %s failed startup probe, will be restarted", c.spec.Name))
				return
			}
			if !pause(ctx, period(p)) {
				return
			}
		}
	}
	if ctx.Err() != nil {
		return
	}
	c.change(func() {
		c.started = true
		c.ready = c.spec.ReadinessProbe == nil
	})
	var both sync.WaitGroup
	both.Go(func() { c.probeReadiness(ctx) })
	both.Go(func() { c.probeLiveness(ctx, unhealthy) })
	both.Wait()
}

func (c *container) probeReadiness(ctx context.Context) {
	p := c.spec.ReadinessProbe
	if p == nil {
		return
	}
	successes, failures := 0, 0
	ready, ever := false, false
	for ctx.Err() == nil {
		wait := period(p)
		if c.healthy(ctx, "readiness", p) {
			successes, failures = successes+1, 0
		} else {
			successes, failures = 0, failures+1
		}
		switch {
		case !ready && successes >= threshold(p.SuccessThreshold), !ready && !ever && successes > 0:
			ready, ever = true, true
			c.change(func() { c.ready = true })
		case ready && failures >= threshold(p.FailureThreshold):
			ready = false
			c.change(func() { c.ready = false })
		}
		if !ready {
			wait = min(wait, startingPeriod)
		}
		pause(ctx, wait)
	}
}

func (c *container) probeLiveness(ctx context.Context, unhealthy chan<- string) {
	p := c.spec.LivenessProbe
	if p == nil || !pause(ctx, time.Duration(p.InitialDelaySeconds)*time.Second) {
		return
	}
	failures := 0
	for ctx.Err() == nil {
		if c.healthy(ctx, "liveness", p) {
			failures = 0
		} else if failures++; failures >= threshold(p.FailureThreshold) {
			report(unhealthy, fmt.Sprintf("Container %s failed liveness probe, will be restarted", c.spec.Name))
			return
		}
		pause(ctx, period(p))
	}
}

func report(to chan<- string, reason string) {
	select {
	case to <- reason:
	default:
	}
}

func period(p *corev1.Probe) time.Duration {
	return max(time.Second, time.Duration(p.PeriodSeconds)*time.Second)
}

func threshold(given int32) int { return int(max(1, given)) }

// pause waits; it returns false when ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// healthy asks a probe once. A probe that runs a command in the container cannot be asked and counts as passed.
func (c *container) healthy(ctx context.Context, kind string, p *corev1.Probe) bool {
	ctx, cancel := context.WithTimeout(ctx, max(time.Second, time.Duration(p.TimeoutSeconds)*time.Second))
	defer cancel()
	var err error
	switch {
	case p.HTTPGet != nil:
		err = c.get(ctx, p.HTTPGet)
	case p.TCPSocket != nil:
		err = c.dial(ctx, p.TCPSocket.Port)
	case p.GRPC != nil:
		err = c.dial(ctx, intstr.FromInt32(p.GRPC.Port))
	}
	if err != nil && kind != "readiness" && !errors.Is(ctx.Err(), context.Canceled) {
		c.pod.node.events.Eventf(c.pod.current(), corev1.EventTypeWarning, "Unhealthy", "%s probe failed: %v", kind, err)
	}
	return err == nil
}

// address returns where the process listens for a port that the probe names or numbers.
func (c *container) address(port intstr.IntOrString) (string, error) {
	number := port.IntValue()
	if port.Type == intstr.String {
		for _, declared := range c.spec.Ports {
			if declared.Name == port.StrVal {
				number = int(declared.ContainerPort)
			}
		}
	}
	address, listens := c.pod.endpoint(number)
	if !listens {
		return "", fmt.Errorf("port %s of image %s is not known to be listened on", port.String(), c.spec.Image)
	}
	return address, nil
}

func (c *container) dial(ctx context.Context, port intstr.IntOrString) error {
	address, err := c.address(port)
	if err != nil {
		return err
	}
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return connection.Close()
}

// probeClient does as a kubelet does: certificates are not verified, and a redirect is an answer.
var probeClient = &http.Client{
	Transport: &http.Transport{
		Proxy:             nil,
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // a probe has nothing to verify with
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (c *container) get(ctx context.Context, get *corev1.HTTPGetAction) error {
	address, err := c.address(get.Port)
	if err != nil {
		return err
	}
	scheme := strings.ToLower(string(get.Scheme))
	if scheme == "" {
		scheme = "http"
	}
	url := scheme + "://" + address + "/" + strings.TrimPrefix(get.Path, "/")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for _, header := range get.HTTPHeaders {
		request.Header.Add(header.Name, header.Value)
		if strings.EqualFold(header.Name, "Host") {
			request.Host = header.Value
		}
	}
	response, err := probeClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode >= 400 {
		return fmt.Errorf("HTTP probe failed with statuscode: %d", response.StatusCode)
	}
	return nil
}
