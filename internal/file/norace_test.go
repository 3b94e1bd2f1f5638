//go:build !race

package file

const raceFactor = 1
