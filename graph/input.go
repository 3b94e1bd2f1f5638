package graph

import "github.com/99designs/gqlgen/graphql"

// optional is an input's field that may be left out: nil when it was, and when it was null.
func optional[T any](o graphql.Omittable[*T]) *T {
	v, _ := o.ValueOK()
	return v
}

// orZero is an input's field that may be left out: the zero value when it was.
func orZero[T any](o graphql.Omittable[*T]) T {
	if v := optional(o); v != nil {
		return *v
	}
	var zero T
	return zero
}

// pick maps the parents of a batch, or what was loaded for them, to a field's values.
func pick[A, B any](all []A, f func(A) B) []B {
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = f(a)
	}
	return out
}

// patched is a patch's field: nil, which leaves the field as it is, when it was left out; the zero value, which empties it, when
// it was null. Whether it may be empty is for the domain to say.
func patched[T any](o graphql.Omittable[*T]) *T {
	v, set := o.ValueOK()
	if set && v == nil {
		return new(T)
	}
	return v
}

// patchedList is patched for a list.
func patchedList[T any](o graphql.Omittable[[]T]) *[]T {
	v, set := o.ValueOK()
	if !set {
		return nil
	}
	return &v
}

// orElse is an input's field that may be left out, with what it means then.
func orElse[T any](o graphql.Omittable[*T], otherwise T) T {
	if v := optional(o); v != nil {
		return *v
	}
	return otherwise
}
