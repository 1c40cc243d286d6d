package automation_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/telekom/controlplane-infrastructure/automation"
)

// A preview on a local control plane that does not run needs neither a cluster nor an account nor a download.
func ExamplePreview() {
	dir, err := os.MkdirTemp("", "nothing-runs-here-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	result, err := automation.Preview(context.Background(), automation.Options{
		Project: "..", Stack: "dev", Local: true, LocalDir: filepath.Join(dir, "none"),
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range result.Steps {
		if strings.HasSuffix(step.Type, ":Namespace") && step.Component == "cert-trust" {
			fmt.Println(step.Operation, step.Name)
		}
	}
	fmt.Println("changes:", result.HasChanges())
	// Unordered output:
	// create cert-manager
	// create controlplane-system
	// changes: true
}

// What is wrong with a request costs nothing and starts nothing.
func ExampleUsageError() {
	_, err := automation.Up(context.Background(), automation.Options{Project: "..", Stack: "dev", Plugins: "buildin"})
	var usage *automation.UsageError
	fmt.Println(errors.As(err, &usage), err)
	// Output:
	// true plugins: "buildin" is not known; allowed: published, builtin
}

// A pipeline waits for whoever works on the stack, and says who that is when it takes too long.
func ExampleLockedError() {
	_, err := automation.Up(context.Background(), automation.Options{Stack: "prod", LockWait: 10 * time.Minute})
	var locked *automation.LockedError
	if errors.As(err, &locked) {
		log.Printf("try again later: %s has been at work since %s", locked.Holder.User, locked.Holder.Since)
	}
}

// What others have changed is told by object and field, and can be brought back without anything else.
func ExampleDrift() {
	report, err := automation.Drift(context.Background(), automation.Options{Stack: "prod"}, automation.DriftOptions{Repair: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, object := range report.Objects {
		for _, field := range object.Fields {
			log.Printf("%s %s: %s was %v", object.Type, object.Name, field.Path, field.Found)
		}
	}
}

// Events tell what happens while it does.
func ExampleOptions_events() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel() // ends the engine in good order, too
	_, err := automation.Up(ctx, automation.Options{
		Stack: "prod",
		Events: func(e automation.Event) {
			if e.Kind == automation.EventFailed {
				log.Printf("%s %s could not be %sd", e.Step.Type, e.Step.Name, e.Step.Operation)
			}
		},
	})
	var failed *automation.OperationError
	if errors.As(err, &failed) {
		log.Printf("%s after %.0f s: %v", failed.Result.Operation, failed.Result.Seconds, failed.Result.Errors)
	}
}
