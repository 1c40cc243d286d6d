// Package stacks is what a stack is: its configuration decides which components exist, one component's outputs become
// the next one's inputs, and what others need to know becomes the stack's outputs.
package stacks
