// Package ent is the data access that is generated from ent/schema; only schema and this file are written by hand.
package ent

//go:generate go run -mod=mod entgo.io/ent/cmd/ent generate --target . --feature sql/lock,sql/modifier,sql/execquery,sql/versioned-migration,intercept --template ./schema/template ./schema
