package entry_test

import (
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// record returns a complete record of a working token, written on top of a revision.
func record(value string, base entry.Revision) entry.Record {
	return entry.Record{
		State: entry.StateActive, Secret: secret.New(value),
		TokenID: "tok_1", TokenName: "ci-ps1-k3v9q2m7xtab-7h2k9q-13-w5c2m8pa",
		CreatedAt: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), ExpiresAt: time.Date(2026, 7, 30, 12, 0, 0, 0, time.UTC),
		Slot: "k3v9q2m7xtab", Inc: "7h2k9q", Gen: 13, Base: base, Op: "w5c2m8pa",
		VerifiedAt: time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC),
	}
}
