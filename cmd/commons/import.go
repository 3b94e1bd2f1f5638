package main

import (
	"context"
	"io"
)

func importRoster(ctx context.Context, cfg config, args []string, stdout, stderr io.Writer) error {
	return nil
}
