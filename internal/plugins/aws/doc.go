// Package aws is a simulated AWS account as an engine plugin, served from the calling process: it takes the type names
// and inputs of the published pulumi-aws plugin, and keeps what a program makes in a file instead of in a cloud.
//
// It checks inputs, computes ARNs, decides what a change replaces, and refuses what AWS refuses: a bucket policy
// without a bucket, a second role of the same name, subnets that overlap, a step over a version of Kubernetes, a VPC
// that is deleted before what is in it. It also refuses at once what AWS would let fail after a while, such as nodes that
// cannot join or an add-on without nodes. It is there to prove programs, not to store objects or to enforce the policies
// that it is given. A type that it does not have is an error.
//
// A service is a file with a table of types; how types behave is the same for all of them.
package aws
