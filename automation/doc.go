// Package automation runs the stacks of this project as Go functions over the Pulumi engine, for pipelines that import
// it and for the command platform, which is a thin shell over it. It alone decides where a run goes (an existing cluster,
// or the local control plane) and with which engine plugins (the published ones, or those built into this module); the
// program in package stacks cannot tell.
//
// # Operations
//
// [Preview] tells what [Up] would do, [Up] does it, [Destroy] deletes everything that it has made. [Drift] tells what
// others have changed since, and can repair it; [Refresh] writes that into the state for the next [Up]. [Outputs] are
// what a stack tells others, [Render] writes its manifests, [Preflight] looks at a cluster before anything is made on it,
// and [Handover] writes what an installation of the Control Plane needs of the stack.
//
// Each takes [Options], of which only Stack is required, and returns typed results. They may run at the same time in one
// process, with different stacks: each stack has a working directory of its own, and with built-in plugins an engine's
// home of its own. Nothing is written into the project, and neither this process' environment nor its working directory
// is changed. Where no backend is chosen (PULUMI_BACKEND_URL, the project's backend, pulumi login), state is kept in
// $XDG_STATE_HOME/controlplane-infrastructure.
//
// # Cancelling
//
// An operation whose context ends cancels the engine, which finishes or rolls back what is under way, and returns an
// [OperationError] with Cancelled set. Its Result tells how far the operation came; the next one goes on from there.
//
// # Errors
//
// [UsageError]: something in the options, the stack's name or its configuration is wrong, and nothing was started.
// [LockedError]: another operation works on the stack, and nothing was started. [OperationError]: the operation began
// and failed. [ErrNotRunning]: the local control plane is needed and not there.
//
// # What is tried again
//
// Only what changes nothing, or has not begun: opening a stack, reading its outputs and its state, up to three times when
// a network or a service fails; with Options.LockWait, an operation that finds the stack locked. A lock that was left in a
// backend of files by a run of the same user on the same machine that is gone, is released, and the operation goes on; a
// line of progress says so. An operation that has begun is never run again by itself.
//
// After a run that was killed, the next operation that changes the stack first finds out what became of what was being
// created: objects in the cluster and, with built-in plugins, realms are taken into the state. Where that cannot be found
// out, it says what a person has to look at, and changes nothing.
package automation
