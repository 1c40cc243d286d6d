package node_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// run creates a pod of one container.
func run(t *testing.T, ns string, spec corev1.PodSpec) *corev1.Pod {
	t.Helper()
	c := clientset(t)
	eventually(t, func() string { // the service account of a new namespace comes after a moment
		if _, err := c.CoreV1().ServiceAccounts(ns).Get(t.Context(), "default", metav1.GetOptions{}); err != nil {
			return err.Error()
		}
		return ""
	})
	pod, err := c.CoreV1().Pods(ns).Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "pod-", Labels: map[string]string{"app": "pod"}}, Spec: spec,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return pod
}

// becomes waits for a phase and returns the pod then.
func becomes(t *testing.T, pod *corev1.Pod, phase corev1.PodPhase) *corev1.Pod {
	t.Helper()
	eventually(t, func() string {
		var err error
		pod, err = clientset(t).CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if pod.Status.Phase != phase {
			return fmt.Sprintf("the pod is not %s: %+v", phase, pod.Status)
		}
		return ""
	})
	return pod
}

// pid returns the process of a running pod.
func pid(t *testing.T, pod *corev1.Pod) int {
	t.Helper()
	found := processes(pod.Namespace, pod.Name)
	require.Len(t, found, 1)
	require.NotZero(t, found[0].PID)
	return found[0].PID
}

func alive(pid int) bool {
	_, err := os.Stat(filepath.Join("/proc", fmt.Sprint(pid)))
	return err == nil
}

// solver is a container that answers with a key at a path with a token, if it is asked by the name of its domain.
func solver(args ...string) corev1.Container {
	return corev1.Container{
		Name: "solver", Image: "mirror.example.test:5000/any/path/cert-manager-acmesolver:v1.21.2@sha256:" + strings.Repeat("0", 64),
		Args:  append([]string{"--listen-port=8089"}, args...),
		Ports: []corev1.ContainerPort{{ContainerPort: 8089, Name: "http"}},
	}
}

func TestEnvironmentAndServiceOfRealPod(t *testing.T) {
	c, ns := clientset(t), namespace(t, nil)
	_, err := c.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "key"}, StringData: map[string]string{"key": "from-the-secret"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.CoreV1().ConfigMaps(ns).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "settings"}, Data: map[string]string{"TOKEN": "token"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.CoreV1().Services(ns).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "solver"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "pod"},
			Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromString("http")}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)

	container := solver("--domain=$(DOMAIN)", "--token=$(TOKEN)", "--key=$(KEY) of $(NODE) costs $$(KEY)")
	container.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
	container.Env = []corev1.EnvVar{
		{Name: "NAMESPACE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}}},
		{Name: "NODE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}},
		{Name: "DOMAIN", Value: "solver.$(NAMESPACE).svc"},
		{Name: "KEY", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "key"}, Key: "key"}}},
	}
	pod := becomes(t, run(t, ns, corev1.PodSpec{Containers: []corev1.Container{container}}), corev1.PodRunning)

	proxy, err := url.Parse(cluster.Ingress)
	require.NoError(t, err)
	throughProxy := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	eventually(t, func() string {
		response, err := throughProxy.Get("http://solver." + ns + ".svc/.well-known/acme-challenge/token")
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if want := "from-the-secret of " + pod.Spec.NodeName + " costs $(KEY)"; err != nil || string(content) != want {
			return fmt.Sprintf("%s %q, not %q", response.Status, content, want)
		}
		return ""
	})
}

func TestPodHasTheRightsOfItsServiceAccount(t *testing.T) {
	withCertManager(t)
	pod := run(t, namespace(t, nil), corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		Containers:    []corev1.Container{{Name: "check", Image: "cert-manager-startupapicheck", Args: []string{"check", "api", "-v"}}},
	})
	ended := becomes(t, pod, corev1.PodFailed).Status.ContainerStatuses[0].State.Terminated
	assert.EqualValues(t, 1, ended.ExitCode)
	assert.Contains(t, ended.Message, `User "system:serviceaccount:`+pod.Namespace+`:default" cannot create resource`)
}

func TestPodWithoutTokenHasNoCredentials(t *testing.T) {
	pod := run(t, namespace(t, nil), corev1.PodSpec{
		RestartPolicy:                corev1.RestartPolicyNever,
		AutomountServiceAccountToken: ptr.To(false),
		Containers:                   []corev1.Container{{Name: "check", Image: "cert-manager-startupapicheck", Args: []string{"check", "api"}}},
	})
	ended := becomes(t, pod, corev1.PodFailed).Status.ContainerStatuses[0].State.Terminated
	assert.Contains(t, ended.Message, "unable to load in-cluster configuration")
}

func TestLogs(t *testing.T) {
	c, ns := clientset(t), namespace(t, nil)
	real := becomes(t, run(t, ns, corev1.PodSpec{Containers: []corev1.Container{solver("--domain=a", "--token=b", "--key=c")}}), corev1.PodRunning)
	simulated := becomes(t, run(t, ns, corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: simulatedImage}}}), corev1.PodRunning)
	for pod, want := range map[*corev1.Pod]string{
		real:      "--- solver started as cert-manager-acmesolver",
		simulated: "container server of pod " + simulated.Name + " is simulated",
	} {
		log, err := c.CoreV1().Pods(ns).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(t.Context())
		require.NoError(t, err)
		assert.Contains(t, string(log), want)
	}
}

func TestPodWaitsForItsVolumes(t *testing.T) {
	c, ns := clientset(t), namespace(t, nil)
	container := solver("--domain=a", "--token=b", "--key=c")
	container.VolumeMounts = []corev1.VolumeMount{{Name: "late", MountPath: "/late"}}
	pod := run(t, ns, corev1.PodSpec{
		Containers: []corev1.Container{container},
		Volumes:    []corev1.Volume{{Name: "late", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "late"}}}},
	})
	eventually(t, func() string {
		events, err := c.CoreV1().Events(ns).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=FailedMount"})
		if err != nil || len(events.Items) == 0 {
			return fmt.Sprintf("no event tells that the secret is missing: %v", err)
		}
		assert.Contains(t, events.Items[0].Message, `volume "late": secret "late" not found`)
		return ""
	})
	becomes(t, pod, corev1.PodPending)
	_, err := c.CoreV1().Secrets(ns).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "late"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	becomes(t, pod, corev1.PodRunning)
}

func TestDeletedPodEndsItsProcess(t *testing.T) {
	c, ns := clientset(t), namespace(t, nil)
	pod := becomes(t, run(t, ns, corev1.PodSpec{Containers: []corev1.Container{solver("--domain=a", "--token=b", "--key=c")}}), corev1.PodRunning)
	process, files := pid(t, pod), filepath.Join(cluster.Dir, "pods", string(pod.UID))
	require.DirExists(t, files)

	require.NoError(t, c.CoreV1().Pods(ns).Delete(t.Context(), pod.Name, metav1.DeleteOptions{}))
	eventually(t, func() string {
		if _, err := c.CoreV1().Pods(ns).Get(t.Context(), pod.Name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			return fmt.Sprintf("the pod is still there: %v", err)
		}
		return ""
	})
	assert.False(t, alive(process), "the process outlived its pod")
	assert.NoDirExists(t, files)
}

func TestProcessesEndWithTheirNode(t *testing.T) {
	c, ns := clientset(t), namespace(t, nil)
	all, err := c.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{Limit: 1})
	require.NoError(t, err)
	another := all.Items[0].DeepCopy()
	another.ObjectMeta = metav1.ObjectMeta{Name: "short-lived", Labels: another.Labels, Annotations: another.Annotations}
	another.Labels[corev1.LabelHostname] = "short-lived"
	_, err = c.CoreV1().Nodes().Create(t.Context(), another, metav1.CreateOptions{})
	require.NoError(t, err)

	pod := becomes(t, run(t, ns, corev1.PodSpec{
		NodeName: "short-lived", Containers: []corev1.Container{solver("--domain=a", "--token=b", "--key=c")},
	}), corev1.PodRunning)
	process := pid(t, pod)
	require.NoError(t, c.CoreV1().Nodes().Delete(t.Context(), "short-lived", metav1.DeleteOptions{}))
	eventually(t, func() string {
		if alive(process) {
			return "the process outlived its node"
		}
		return ""
	})
}

func TestReadinessIsWhatTheProbeSays(t *testing.T) {
	ns := namespace(t, nil)
	container := solver("--domain=a", "--token=b", "--key=c")
	container.ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("http")}}}
	ready := run(t, ns, corev1.PodSpec{Containers: []corev1.Container{container}})
	container.ReadinessProbe.HTTPGet = &corev1.HTTPGetAction{Path: "/wrong", Port: intstr.FromInt32(8089)}
	unready := run(t, ns, corev1.PodSpec{Containers: []corev1.Container{container}})

	eventually(t, func() string {
		pod, err := clientset(t).CoreV1().Pods(ns).Get(t.Context(), ready.Name, metav1.GetOptions{})
		if err != nil || condition(pod, corev1.PodReady) != corev1.ConditionTrue {
			return fmt.Sprintf("the pod is not ready: %+v", pod.Status)
		}
		return ""
	})
	assert.Equal(t, corev1.ConditionFalse, condition(becomes(t, unready, corev1.PodRunning), corev1.PodReady))
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range pod.Status.Conditions {
		if c.Type == kind {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

func TestFailingLivenessProbeRestarts(t *testing.T) {
	c, ns := clientset(t), namespace(t, nil)
	container := solver("--domain=a", "--token=b", "--key=c")
	container.LivenessProbe = &corev1.Probe{
		ProbeHandler:        corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/wrong", Port: intstr.FromString("http")}},
		InitialDelaySeconds: 2, PeriodSeconds: 1, FailureThreshold: 1,
	}
	pod := becomes(t, run(t, ns, corev1.PodSpec{Containers: []corev1.Container{container}}), corev1.PodRunning)
	eventually(t, func() string {
		pod, err := c.CoreV1().Pods(ns).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if err != nil || pod.Status.ContainerStatuses[0].RestartCount == 0 {
			return fmt.Sprintf("the process is not restarted: %v", err)
		}
		return ""
	})
	eventually(t, func() string {
		events, err := c.CoreV1().Events(ns).List(t.Context(), metav1.ListOptions{FieldSelector: "reason=Unhealthy"})
		if err != nil || len(events.Items) == 0 {
			return fmt.Sprintf("no event tells why: %v", err)
		}
		assert.Contains(t, events.Items[0].Message, "liveness probe failed: HTTP probe failed with statuscode: 404")
		return ""
	})
}
