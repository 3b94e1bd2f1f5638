//go:build linux

package main

import "context"

func threads(context.Context, options) error { return nil }
