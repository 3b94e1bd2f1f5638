//go:build !race

package apitest_test

const raceFactor = 1
