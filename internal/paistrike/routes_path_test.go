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
		{"/tokens/{id}/{owner}", id, "has an unknown placeholder at column 14; allowed: {id}"},
		{"/tokens/{id}}", id, "has an unknown placeholder at column 13; allowed: {id}"},
		{"/tokens/{id}", nil, "has an unknown placeholder at column 9; allowed: none"},
		{"/tokens", id, "must contain {id} exactly once"},
		{"/{id}/{id}", id, "must contain {id} exactly once"},
		{"tokens/{id}", id, "must begin with one slash"},
		{"/tökens/{id}", id, "has a character at column 3 that is not allowed in a path: escape it"},
		{"/a b/{id}", id, "has a character at column 3 that is not allowed in a path: escape it"},
		{"/a#b/{id}", id, "has a character at column 3 that is not allowed in a path: escape it"},
		{"/%20/%zz/{id}", id, "has a percent sign that is not part of an escape at column 6"},
		{"/a/../{id}", id, "must not have . or .. as a segment"},
		{"/tokens/{id}?a=b c", id, "has a character at column 17 that is not allowed in a query: escape it"},
		{"/tokens/{id}?a=%zz", id, "must have a query of names and values, with special characters escaped"},
	} {
		if got := checkRoute(test.path, test.placeholders); got != test.want {
			t.Errorf("%s: %q, want %q", test.path, got, test.want)
		}
	}
}
