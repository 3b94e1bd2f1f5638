//go:build race

package file

// raceFactor is how much dearer it is under the race detector to go over pixels.
const raceFactor = 24
