//go:build race

package inbound

// raceFactor is how much dearer everything is under the race detector.
const raceFactor = 8
