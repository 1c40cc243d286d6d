package proxy

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a container has used only grows, whatever it uses now: metrics-server takes the difference of two readings.
func TestCountersGrow(t *testing.T) {
	var c counters
	start := time.Now()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	assert.InDelta(t, 5, c.count("a", 0.5, start, at(10)), 1e-9, "since it started")
	assert.InDelta(t, 25, c.count("a", 2, start, at(20)), 1e-9)
	assert.InDelta(t, 25.1, c.count("a", 0.01, start, at(30)), 1e-9, "less from now on, and not less so far")
	assert.InDelta(t, 25.1, c.count("a", 1, start, at(29)), 1e-9, "a clock that is set back takes nothing away")
	assert.InDelta(t, 1, c.count("b", 1, at(30), at(31)), 1e-9, "each has its own")
}

func TestSimulatedUsage(t *testing.T) {
	container := &corev1.Container{Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("300m"), corev1.ResourceMemory: resource.MustParse("1Gi"),
	}}}
	cpu, memory := simulatedUsage(&corev1.Pod{}, container)
	assert.InDelta(t, 0.15, cpu, 1e-9)
	assert.InDelta(t, 512<<20, memory, 1)

	cpu, memory = simulatedUsage(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
		UsageCPU: "1500m", UsageMemory: "2Gi",
	}}}, container)
	assert.InDelta(t, 1.5, cpu, 1e-9)
	assert.InDelta(t, 2<<30, memory, 1)

	cpu, memory = simulatedUsage(&corev1.Pod{}, &corev1.Container{})
	assert.Positive(t, cpu, "metrics-server leaves out who uses nothing")
	assert.Positive(t, memory)
}

func TestProcessesAreMeasured(t *testing.T) {
	used, measured := measure(os.Getpid())
	assert.Equal(t, runtime.GOOS == "linux", measured)
	if measured {
		assert.Greater(t, used.memory, float64(1<<20), "this test is more than a megabyte")
	}
	_, measured = measure(0)
	assert.False(t, measured, "a simulated pod has no process")
}
