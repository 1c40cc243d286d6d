package main

import (
	"context"
	"fmt"
	"io"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/local"
)

// lookAround tells after an up on the local control plane what runs there, where, and how to look at it.
func lookAround(ctx context.Context, w io.Writer, o automation.Options) error {
	report, err := local.Status(ctx, local.Options{Dir: o.LocalDir})
	if err != nil {
		return err
	}
	workloads, err := deployments(ctx, report.Kubeconfig)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nRunning on the local control plane (%s, %d nodes in %d zones):\n", report.URL, report.Nodes, len(report.Zones))
	for _, line := range workloads {
		fmt.Fprintln(w, "  "+line)
	}
	var dir, localDir string // flags, where the directory is not the default
	if o.LocalDir != "" {
		dir, localDir = " --dir "+o.LocalDir, " --local-dir "+o.LocalDir
	}
	program := os.Args[0]
	_, err = fmt.Fprintf(w, `
Next, to look around:
  export KUBECONFIG=%s    # then kubectl as on any cluster
  %s local status%s    # processes and their logs
  %s outputs --stack %s --local%s    # what others need to know
`, report.Kubeconfig, program, dir, program, o.Stack, localDir)
	return err
}

// deployments lists the cluster's Deployments with their ready replicas, a line each.
func deployments(ctx context.Context, kubeconfig string) ([]string, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the local control plane's kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	list, err := client.AppsV1().Deployments("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list what runs: %w", err)
	}
	var lines []string
	for _, d := range list.Items {
		lines = append(lines, fmt.Sprintf("%-44s %d of %d ready", d.Namespace+"/"+d.Name, d.Status.ReadyReplicas, *d.Spec.Replicas))
	}
	return lines, nil
}
