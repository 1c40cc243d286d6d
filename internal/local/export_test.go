package local

// FindTools is for tests that measure how long a start takes, which begins after it.
var FindTools = findTools
