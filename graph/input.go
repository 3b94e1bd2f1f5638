package graph

import "github.com/99designs/gqlgen/graphql"

// optional is the value of a field that may be left out: nil when it was, and when it was null.
func optional[T any](o graphql.Omittable[*T]) *T { return o.Value() }

// optionalList is the same for a list.
func optionalList[T any](o graphql.Omittable[[]T]) *[]T {
	if list := o.Value(); list != nil {
		return &list
	}
	return nil
}

// orZero is the value behind a pointer, and the zero value behind nil.
func orZero[T any](p *T) (value T) {
	if p != nil {
		value = *p
	}
	return value
}
