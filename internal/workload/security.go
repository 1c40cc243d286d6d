package workload

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// Namespace returns a namespace in which the API server admits only pods of
// the Pod Security level restricted, or of the level that Exceptions has for
// it. The labels are added to those that say so.
func Namespace(name string, labels map[string]string) *corev1.Namespace {
	all := map[string]string{
		"app.kubernetes.io/name":       name,
		"app.kubernetes.io/managed-by": "pulumi",
		"app.kubernetes.io/part-of":    "controlplane-infrastructure",
	}
	maps.Copy(all, podSecurityLabels(name))
	maps.Copy(all, labels)
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: all}}
}

// podSecurityLabels enforce a namespace's level, and audit and warn about the
// level restricted, as the cluster's own version defines them.
func podSecurityLabels(namespace string) map[string]string {
	enforced := api.LevelRestricted
	if e, ok := exceptions[namespace]; ok {
		enforced = e.Level
	}
	return map[string]string{
		api.EnforceLevelLabel:   string(enforced),
		api.EnforceVersionLabel: api.VersionLatest,
		api.AuditLevelLabel:     string(api.LevelRestricted),
		api.AuditVersionLabel:   api.VersionLatest,
		api.WarnLevelLabel:      string(api.LevelRestricted),
		api.WarnVersionLabel:    api.VersionLatest,
	}
}

// Restrict makes pods comply with the level restricted: it sets what is not
// set, and rejects a pod that asks for more, naming the reason. The root file
// system becomes read-only unless a container says otherwise. The workloads of
// Exceptions stay as they are, and are held to their own level.
func Restrict() manifest.Transform {
	return EditPod(func(o *manifest.Object, pod *corev1.PodTemplateSpec) error {
		level := LevelOf(o)
		if level == api.LevelRestricted {
			restrictPod(&pod.Spec)
			for _, container := range containers(pod) {
				restrictContainer(container)
			}
		}
		return evaluate(pod, level)
	})
}

func restrictPod(spec *corev1.PodSpec) {
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	if spec.SecurityContext.RunAsNonRoot == nil {
		spec.SecurityContext.RunAsNonRoot = new(true)
	}
	if spec.SecurityContext.SeccompProfile == nil {
		spec.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
	}
}

func restrictContainer(container *corev1.Container) {
	if container.SecurityContext == nil {
		container.SecurityContext = &corev1.SecurityContext{}
	}
	security := container.SecurityContext
	if security.AllowPrivilegeEscalation == nil {
		security.AllowPrivilegeEscalation = new(false)
	}
	if security.ReadOnlyRootFilesystem == nil {
		security.ReadOnlyRootFilesystem = new(true)
	}
	if security.Capabilities == nil {
		security.Capabilities = &corev1.Capabilities{}
	}
	if len(security.Capabilities.Drop) == 0 {
		security.Capabilities.Drop = []corev1.Capability{"ALL"}
	}
}

// CheckRestricted reports in which ways the pods of an object break the level
// restricted, or the one that Exceptions has for them. Objects without pods pass.
func CheckRestricted(o *manifest.Object) error { return CheckLevel(o, LevelOf(o)) }

// CheckLevel reports in which ways the pods of an object break a Pod Security
// level, by the very checks of the API server. Objects without pods pass.
func CheckLevel(o *manifest.Object, level api.Level) error {
	pod, err := podOf(o)
	if err == nil && pod != nil {
		err = evaluate(pod, level)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	return nil
}

func evaluate(pod *corev1.PodTemplateSpec, level api.Level) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return fmt.Errorf("pod security checks: %w", err)
	}
	var problems []string
	version := api.LevelVersion{Level: level, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(version, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			problems = append(problems, strings.TrimSpace(result.ForbiddenReason+" ("+result.ForbiddenDetail+")"))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	return fmt.Errorf("breaks the Pod Security level %s: %s", level, strings.Join(problems, "; "))
}
