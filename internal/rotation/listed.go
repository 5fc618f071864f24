package rotation

import (
	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// listed is a token in the inventory, without its ID. An account may have very many tokens,
// and this form takes half the memory of a [paistrike.Token]. Warnings about the response are
// not kept.
type listed struct {
	name                       string
	status                     paistrike.Status
	created, lastUsed, expires schedule.CompactTime
	untold                     paistrike.Facts
}

func listedOf(t paistrike.Token) listed {
	return listed{
		name: t.Name, status: t.Status, untold: t.Untold,
		created: schedule.Compact(t.CreatedAt), lastUsed: schedule.Compact(t.LastUsedAt), expires: schedule.Compact(t.ExpiresAt),
	}
}

// token returns the token with its ID. Its times are in UTC.
func (l listed) token(id string) paistrike.Token {
	return paistrike.Token{
		ID: id, Name: l.name, Status: l.status, Untold: l.untold,
		CreatedAt: l.created.Time(), LastUsedAt: l.lastUsed.Time(), ExpiresAt: l.expires.Time(),
	}
}
