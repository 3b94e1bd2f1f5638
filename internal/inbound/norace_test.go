//go:build !race

package inbound

const raceFactor = 1
