package valkey_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/process"
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
	lastError    error
}

func (c *cluster) write() *writer {
	ctx, cancel := context.WithCancel(c.t.Context())
	w := &writer{client: c.client(c.t, firstProxy, firstProxy+1), stop: cancel, done: make(chan struct{})}
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
		w.lastError = err
		return
	}
	if number == len(w.acknowledged) {
		w.acknowledged = append(w.acknowledged, time.Now())
	}
}

// forget starts a new sequence: nothing was persistent.
func (w *writer) forget() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.acknowledged = nil
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

// resumes waits for an acknowledgement after a moment.
func (w *writer) resumes(t *testing.T, since time.Time, within time.Duration) {
	t.Helper()
	eventually(t, within, "writes do not succeed", func(context.Context) error {
		last, n, err := w.last()
		if last.After(since) {
			return nil
		}
		return fmt.Errorf("%d acknowledged, last at %s: %w", n, last.Format(time.StampMilli), err)
	})
}

// pause is the longest time without an acknowledgement since a moment.
func (w *writer) pause(since time.Time) (longest time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, at := range w.acknowledged {
		if at.After(since) {
			longest = max(longest, at.Sub(since))
			since = at
		}
	}
	return longest
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

// bound is the configured lag of replicas: what may be lost when a primary is.
const bound = 10 * time.Second

// TestFailover: a client that knows nothing but the primary's address writes all the time, whatever happens to servers.
func TestFailover(t *testing.T) {
	c := newCluster(t, 41, workload.Zonal, nil)
	c.startAll()
	c.ready(t, 40*time.Second, append(c.servers, c.sentinels...)...)
	begin := time.Now()
	w := c.write()
	w.resumes(t, begin, recovery)
	t.Run("the primary is killed", func(t *testing.T) {
		for range rounds {
			c.survives(t, w, "killed", func(p *process.Process) {
				p.Kill()
				p.Restart() // as the kubelet does at once
			})
		}
	})
	t.Run("the primary hangs", func(t *testing.T) {
		c.survives(t, w, "frozen", func(p *process.Process) {
			p.Freeze()
			time.AfterFunc(12*time.Second, p.Thaw)
		})
	})
	t.Run("the node of the primary is drained", func(t *testing.T) {
		lost := c.survives(t, w, "drained", func(p *process.Process) {
			p.Stop()
			p.Replace()
		})
		assert.Empty(t, lost, "nothing is lost")
	})
	t.Run("a sentinel is replaced", func(t *testing.T) {
		c.sentinels[0].Stop()
		c.sentinels[0].Replace() // it knows nothing, and asks the others
		c.ready(t, 20*time.Second, c.sentinels...)
		c.sentinels[1].Kill() // so that the new one is needed
		c.survives(t, w, "killed", func(p *process.Process) { p.Kill(); p.Restart() })
		c.sentinels[1].Restart()
		c.ready(t, 20*time.Second, c.sentinels...)
	})
	t.Run("everything stops at once", func(t *testing.T) {
		for _, p := range append(c.servers, c.sentinels...) {
			p.Kill()
		}
		begin := time.Now()
		for _, p := range append(c.servers, c.sentinels...) {
			p.Restart()
		}
		w.resumes(t, begin, time.Minute)
		c.ready(t, 30*time.Second, append(c.servers, c.sentinels...)...)
		w.forget()
		t.Logf("writes after %.1f s", time.Since(begin).Seconds())
	})
	t.Run("certificates are renewed", func(t *testing.T) { c.renew(t, w) })
}

// survives does something to the primary, and returns when the acknowledged writes were made that it cost.
func (c *cluster) survives(t *testing.T, w *writer, what string, harm func(*process.Process)) []time.Time {
	t.Helper()
	old := c.primary(t)
	time.Sleep(300 * time.Millisecond) // some writes
	begin := time.Now()
	harm(c.servers[old])
	w.resumes(t, begin.Add(100*time.Millisecond), recovery)
	eventually(t, 30*time.Second, "the old primary is no replica", func(ctx context.Context) error {
		info, err := c.replication(ctx, old)
		if err == nil && (info["role"] != "slave" || info["master_link_status"] != "up") {
			err = fmt.Errorf("%v", info)
		}
		return err
	})
	back := time.Since(begin)
	c.ready(t, 20*time.Second, c.servers...)
	current := c.primary(t)
	assert.NotEqual(t, old, current, "another server is the primary")
	lost := w.lost(t, c.client(t, firstServer+current))
	for _, at := range lost {
		assert.WithinDuration(t, begin, at, bound, "a write is lost that is older than the bound")
	}
	pause := w.pause(begin)
	assert.Less(t, pause, recovery, "writes go on")
	_, n, _ := w.last()
	t.Logf("server %d %s: no writes for %.1f s, back as a replica after %.1f s, %d of %d acknowledged writes lost",
		old, what, pause.Seconds(), back.Seconds(), len(lost), n)
	for i := range c.proxies {
		eventually(t, 10*time.Second, "a proxy leads nowhere", func(ctx context.Context) error {
			return c.client(t, firstProxy+i).Set(ctx, "proxy", i, 0).Err()
		})
	}
	return lost
}

// renew has every pod get new certificates: they are in use soon, and writes go on meanwhile.
func (c *cluster) renew(t *testing.T, w *writer) {
	before := map[string]string{}
	addresses := []string{}
	for i := range 3 {
		addresses = append(addresses, c.address(firstServer+i)+":6379", c.address(firstSentinel+i)+":26379")
	}
	for _, address := range addresses {
		serial, err := c.serial(t.Context(), address)
		require.NoError(t, err)
		before[address] = serial
	}
	c.objects.Renew()
	for _, p := range append(c.servers, c.sentinels[0]) {
		p.Refresh()
	}
	c.sentinels[0].Wait(20 * time.Second) // it ends, for the kubelet to start it again
	c.sentinels[0].Restart()
	for _, address := range append(addresses[:2:2], addresses[2], addresses[4]) {
		eventually(t, 20*time.Second, address+" shows the old certificate", func(ctx context.Context) error {
			serial, err := c.serial(ctx, address)
			if err == nil && serial == before[address] {
				err = errors.New("the same serial number")
			}
			return err
		})
	}
	c.ready(t, 20*time.Second, append(c.servers, c.sentinels...)...)
	w.resumes(t, time.Now(), 2*time.Second)
	c.survives(t, w, "killed", func(p *process.Process) { p.Kill(); p.Restart() })
}

// serial is the number of the certificate that somebody shows.
func (c *cluster) serial(ctx context.Context, address string) (string, error) {
	config := trusting(c.ca)
	config.ServerName = "localhost" // a name that all of them have
	connection, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	return connection.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}
