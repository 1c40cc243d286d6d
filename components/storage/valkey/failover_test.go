package valkey_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

const (
	rounds = 10
	// recovery is how long writes may fail after the loss of the primary.
	recovery = 15 * time.Second
)

// writer writes a sequence without a pause through the primary's address, and remembers what was acknowledged.
type writer struct {
	client *redis.Client
	stop   context.CancelFunc
	done   chan struct{}

	mutex        sync.Mutex
	acknowledged []time.Time // by number
	failed       int
	lastError    error
}

func (c *cluster) write() *writer {
	ctx, cancel := context.WithCancel(c.t.Context())
	w := &writer{client: c.client(firstProxy, firstProxy+1), stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for ctx.Err() == nil {
			w.once(ctx)
			time.Sleep(5 * time.Millisecond)
		}
	}()
	c.t.Cleanup(func() { cancel(); <-w.done })
	return w
}

// once writes the next number. One that fails may have been written or not: it is tried again.
func (w *writer) once(ctx context.Context) {
	w.mutex.Lock()
	number := len(w.acknowledged)
	w.mutex.Unlock()
	err := w.client.Set(ctx, "sequence:"+strconv.Itoa(number), number, 0).Err()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err != nil {
		w.failed++
		w.lastError = err
		return
	}
	w.acknowledged = append(w.acknowledged, time.Now())
}

// last is when the last write was acknowledged, and how many have been.
func (w *writer) last() (time.Time, int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.acknowledged) == 0 {
		return time.Time{}, 0, w.lastError
	}
	return w.acknowledged[len(w.acknowledged)-1], len(w.acknowledged), w.lastError
}

// resumes waits for an acknowledgement after a moment and returns how long it took.
func (w *writer) resumes(t *testing.T, since time.Time, within time.Duration) time.Duration {
	t.Helper()
	eventually(t, within, "writes do not succeed", func(context.Context) error {
		last, n, err := w.last()
		if last.After(since) {
			return nil
		}
		return fmt.Errorf("%d acknowledged, last at %s: %w", n, last.Format(time.StampMilli), err)
	})
	last, _, _ := w.last()
	return last.Sub(since)
}

// lost returns the acknowledged numbers that are not there any more.
func (w *writer) lost(t *testing.T, client *redis.Client) (missing []time.Time) {
	t.Helper()
	w.mutex.Lock()
	times := append([]time.Time(nil), w.acknowledged...)
	w.mutex.Unlock()
	pipeline := client.Pipeline()
	var answers []*redis.StringCmd
	for number := range times {
		answers = append(answers, pipeline.Get(t.Context(), "sequence:"+strconv.Itoa(number)))
	}
	_, err := pipeline.Exec(t.Context())
	if err != redis.Nil {
		require.NoError(t, err)
	}
	for number, answer := range answers {
		if answer.Val() != strconv.Itoa(number) {
			missing = append(missing, times[number])
		}
	}
	return missing
}

// TestPrimaryIsKilled: a client that knows nothing but the primary's address goes on within seconds, loses at most what
// the replicas were allowed to lag behind, and the old primary comes back as a replica. Ten times.
func TestPrimaryIsKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 41, workload.Zonal, nil)
	c.startAll()
	c.ready(40*time.Second, append(c.servers, c.sentinels...)...)
	begin := time.Now()
	w := c.write()
	w.resumes(t, begin, recovery)
	for round := range rounds {
		old := c.primary()
		time.Sleep(500 * time.Millisecond) // some writes
		killed := time.Now()
		c.servers[old].Kill()
		c.servers[old].Restart() // as the kubelet does at once
		time.Sleep(100 * time.Millisecond)
		took := w.resumes(t, killed.Add(100*time.Millisecond), recovery)
		for _, at := range w.lost(t, c.client(firstProxy)) {
			assert.WithinDuration(t, killed, at, 10*time.Second, "an older write is lost")
		}
		missing := len(w.lost(t, c.client(firstProxy)))
		eventually(t, 20*time.Second, "the old primary is no replica", func(ctx context.Context) error {
			info, err := c.replication(ctx, old)
			if err == nil && (info["role"] != "slave" || info["master_link_status"] != "up") {
				err = fmt.Errorf("%v", info)
			}
			return err
		})
		c.ready(20*time.Second, c.servers...)
		_, n, _ := w.last()
		t.Logf("round %d: server %d killed, writes after %s, %d of %d acknowledged writes lost, back as a replica after %s",
			round+1, old, took.Round(time.Millisecond), missing, n, time.Since(killed).Round(time.Millisecond))
		require.NotEqual(t, old, c.primary())
	}
}
