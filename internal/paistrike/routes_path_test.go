package paistrike

import "testing"

// An error about a path names the column of the problem.
func TestPathsThatCannotWork(t *testing.T) {
	t.Parallel()
	id := []string{"{id}"}
	for _, test := range []struct {
		path         string
		placeholders []string
		want         string
	}{
		{"/tokens/{id}", id, ""},
		{"/tokens/{id}?version=2026-01", id, ""},
		{"/tokens/{id}/{owner}", id, "has a placeholder at column 14 that nothing fills: there is {id}"},
		{"/tokens/{id}}", id, "has a placeholder at column 13 that nothing fills: there is {id}"},
		{"/tokens/{id}", nil, "has a placeholder at column 9 that nothing fills: there is none"},
		{"/tokens", id, "must have {id} in it, once"},
		{"/{id}/{id}", id, "must have {id} in it, once"},
		{"tokens/{id}", id, "must begin with one slash"},
		{"/tökens/{id}", id, "has a character at column 3 that a path cannot have: escape it"},
		{"/a b/{id}", id, "has a character at column 3 that a path cannot have: escape it"},
		{"/a#b/{id}", id, "has a character at column 3 that a path cannot have: escape it"},
		{"/%20/%zz/{id}", id, "has a percent sign that escapes nothing at column 6"},
		{"/a/../{id}", id, "must not have . or .. as a segment"},
		{"/tokens/{id}?a=b c", id, "has a character at column 17 that a query cannot have: escape it"},
		{"/tokens/{id}?a=%zz", id, "must have a query of names and values, with all but plain characters escaped"},
	} {
		if got := checkRoute(test.path, test.placeholders); got != test.want {
			t.Errorf("%s: %q, want %q", test.path, got, test.want)
		}
	}
}
