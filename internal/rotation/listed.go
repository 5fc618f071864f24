package rotation

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// listed is a token in the inventory, without its ID. An account may have very many tokens,
// and this form takes half the memory of a [paistrike.Token]. Warnings about the response are
// not kept.
type listed struct {
	name    string
	status  paistrike.Status
	seconds [3]int64 // its times, since 1970
	nanos   [3]int32 // the fractions of a second
	untold  paistrike.Facts
}

func times(t *paistrike.Token) [3]*time.Time {
	return [...]*time.Time{&t.CreatedAt, &t.LastUsedAt, &t.ExpiresAt}
}

func listedOf(t paistrike.Token) listed {
	l := listed{name: t.Name, status: t.Status, untold: t.Untold}
	for i, at := range times(&t) {
		l.seconds[i], l.nanos[i] = at.Unix(), int32(at.Nanosecond()) //nolint:gosec // less than a billion
	}
	return l
}

// token returns the token with its ID. Its times are in UTC.
func (l listed) token(id string) paistrike.Token {
	t := paistrike.Token{ID: id, Name: l.name, Status: l.status, Untold: l.untold}
	for i, at := range times(&t) {
		*at = time.Unix(l.seconds[i], int64(l.nanos[i])).UTC()
	}
	return t
}
