//go:build race

package apitest_test

// raceFactor is how much dearer everything is under the race detector.
const raceFactor = 8
