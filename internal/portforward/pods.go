package portforward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// answerTime is how long the API server may take for an answer, or to open a tunnel.
const answerTime = 20 * time.Second

// errRefused is the API server's answer to credentials that it doesn't know or that lack a permission.
var errRefused = errors.New("the API server refuses")

// final reports whether waiting for a pod would not help.
func final(err error) bool {
	return errors.Is(err, errRefused) || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}

// pods knows which pods are ready, and keeps the tunnel to one of them. All connections share it.
type pods struct {
	config func() (*rest.Config, error)
	target Target

	mu      sync.Mutex
	rest    *rest.Config
	client  typedcorev1.CoreV1Interface // nil until the cluster is needed, and again after it failed to answer
	http    *http.Client                // below client
	current *tunnel
	shunned types.UID // of the pod whose tunnel failed last; others are tried before it

	looked  time.Time // when the pods were looked at last,
	outcome error     // and why there is no tunnel since then
}

// open begins a connection to a pod that is ready.
func (p *pods) open(ctx context.Context) (*streams, error) {
	t, err := p.tunnel(ctx)
	if err != nil {
		return nil, err
	}
	s, err := t.open(p.target.Port)
	if err != nil {
		p.abandon(t)
		t.release()
		return nil, err
	}
	s.failed = func() { p.abandon(t) }
	return s, nil
}

// tunnel returns the tunnel to a pod that is ready, in use by one more; the caller releases it.
func (p *pods) tunnel(ctx context.Context) (*tunnel, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil && p.current.broken() {
		p.leave()
	}
	// Many connections may begin at once; the API server is not asked for each of them.
	if time.Since(p.looked) >= interval || p.current == nil && p.outcome == nil {
		p.outcome = p.look(ctx)
		p.looked = time.Now()
	}
	if p.outcome != nil {
		return nil, p.outcome
	}
	p.current.use()
	return p.current, nil
}

// look makes sure that the current tunnel leads to a pod that is ready.
func (p *pods) look(ctx context.Context) error {
	ready, err := p.ready(ctx)
	if err != nil {
		p.disconnect() // the configuration may be another by the time of the next attempt
		return err
	}
	if p.current != nil {
		if slices.ContainsFunc(ready, func(pod corev1.Pod) bool { return pod.UID == p.current.pod.UID }) {
			return nil
		}
		p.leave()
	}
	for _, pod := range ready {
		if p.current, err = dial(ctx, p.rest, p.client.RESTClient(), pod); err == nil || final(err) {
			return err
		}
	}
	return err
}

// ready lists the pods that accept connections, in the order in which to try them. None is an error.
func (p *pods) ready(ctx context.Context) ([]corev1.Pod, error) {
	if err := p.connect(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	list, err := p.client.Pods(p.target.Namespace).List(ctx, metav1.ListOptions{LabelSelector: p.target.Selector})
	if err != nil {
		return nil, fmt.Errorf("list the pods: %w", err)
	}
	ready := slices.DeleteFunc(slices.Clone(list.Items), func(pod corev1.Pod) bool { return !isReady(&pod) })
	switch {
	case len(list.Items) == 0:
		return nil, errors.New("there is no such pod")
	case len(ready) == 0:
		return nil, fmt.Errorf("none of the pods (%d) is ready", len(list.Items))
	}
	// In a rolling update the youngest are those that stay.
	slices.SortFunc(ready, func(a, b corev1.Pod) int {
		if (a.UID == p.shunned) != (b.UID == p.shunned) {
			return map[bool]int{true: 1, false: -1}[a.UID == p.shunned]
		}
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return ready, nil
}

// connect makes a client, unless there is one.
func (p *pods) connect() error {
	if p.client != nil {
		return nil
	}
	config, err := p.config()
	if err != nil {
		return fmt.Errorf("configuration of the cluster: %w", err)
	}
	config = rest.CopyConfig(config)
	config.QPS = -1 // we ask seldom enough by ourselves
	config.WarningHandler = rest.NoWarnings{}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("configuration of the cluster: %w", err)
	}
	if p.client, err = typedcorev1.NewForConfigAndClient(config, client); err != nil {
		return fmt.Errorf("configuration of the cluster: %w", err)
	}
	p.rest, p.http = config, client
	return nil
}

// disconnect gives the client up, so that the next one asks for the configuration again.
func (p *pods) disconnect() {
	if p.client != nil {
		utilnet.CloseIdleConnectionsFor(p.http.Transport)
	}
	p.rest, p.client, p.http = nil, nil, nil
}

func isReady(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning &&
		slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
}

// abandon keeps new connections off a tunnel that failed, and off its pod while there is another.
func (p *pods) abandon(t *tunnel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shunned = t.pod.UID
	if p.current == t {
		p.leave()
	}
}

// leave gives the current tunnel up; it closes once the connections in it have ended.
func (p *pods) leave() {
	p.current.retire()
	p.current = nil
	p.outcome = nil
}

func (p *pods) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil {
		p.leave()
	}
	p.disconnect()
}
