// Package process runs containers of rendered workloads as processes of this machine: with the command, the arguments,
// the environment and the volumes that a component gives them, and certificates of a test's own authority. What a
// kubelet would mount is written below a directory; paths in commands, in variables and in mounted configuration point
// there. A pod is told apart by its loopback address, so that ports stay as they are rendered.
package process
