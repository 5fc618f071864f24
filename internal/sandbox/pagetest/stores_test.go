package pagetest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// shelf is a secret store whose entries the test sets.
type shelf struct {
	name string

	mu      sync.Mutex
	entries []sandbox.Entry
	down    bool
}

func (s *shelf) Name() string { return s.name }

func (s *shelf) Entries(context.Context) ([]sandbox.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errors.New("no answer")
	}
	return s.entries, nil
}

func (s *shelf) set(entries ...sandbox.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = entries
}

func (s *shelf) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
}

// slotName returns a name in the provider's format, with the n-th generation of a slot.
func slotName(label, slot string, n int) string {
	return fmt.Sprintf("%s-ps1-%s-7h2k5q-%d-w5c2m4p%c", label, slot, n, 'a'+rune(n%26))
}

// words returns the visible texts of the elements that match.
func (w *tab) words(selector string) []string {
	w.Helper()
	return ask[[]string](w, `[...document.querySelectorAll(`+"`"+selector+"`"+`)].map(e => e.innerText.replace(/\s+/g, " ").trim())`)
}

// The entry that serves a token is shown with it and follows its rotation.
func TestEntriesStandBesideTheirTokens(t *testing.T) {
	t.Parallel()
	vault, cloud := &shelf{name: "Vault"}, &shelf{name: "AWS Secrets Manager"}
	var old, hand string
	entry := sandbox.Entry{Place: "secret/ci/paistrike", State: sandbox.EntryActive, Version: "1", NextRotation: noon().AddDate(0, 0, 30)}
	w := open(t, func(w *tab) {
		entry.TokenName = slotName("CI/CD Pipeline", "k3v7q2m6xtab", 1)
		old, _ = w.sandbox.Mint(entry.TokenName, noon().AddDate(0, 0, 90))
		hand, _ = w.sandbox.Mint("adopted by hand", time.Time{})
		entry.TokenID = old
		vault.set(entry)
		cloud.set(sandbox.Entry{Place: "team/paistrike", State: sandbox.EntryActive, Version: "7", TokenID: hand, TokenName: "adopted by hand"},
			sandbox.Entry{Place: "team/gone", State: sandbox.EntryEnded, Version: "3", TokenID: "tok_forgotten", TokenName: "gone"})
		w.sandbox.ShowStores(vault, cloud)
	})
	want := func(selector string, texts ...string) {
		t.Helper()
		w.await(fmt.Sprintf(`document.querySelectorAll(%q).length === %d`, selector, len(texts)))
		for i, got := range w.words(selector) {
			if got != texts[i] {
				t.Errorf("%s says %q, want %q", selector, got, texts[i])
			}
		}
	}
	want(".stores p", "Vault 1 entry serves a token", "AWS Secrets Manager 1 entry serves a token")
	want("#slot-k3v7q2m6xtab .entry", "Vault secret/ci/paistrike version 1 serves w5c2m4pb next rotation 1 Apr 2026, 12:00 UTC, in 30 days")
	want(row(old, ".held"), "Vault serves it")
	want(row(hand, ".held"), "AWS Secrets Manager serves it at team/paistrike")
	want("#loose .entry", "AWS Secrets Manager team/gone ended with version 3")

	w.sandbox.Clock().Advance(30 * 24 * time.Hour)
	w.await(`document.querySelector(".entry .due") !== null`)
	want("#slot-k3v7q2m6xtab .entry", "Vault secret/ci/paistrike version 1 serves w5c2m4pb rotation due since 1 Apr 2026, 12:00 UTC")
	entry.TokenName, entry.Version = slotName("CI/CD Pipeline", "k3v7q2m6xtab", 2), "2"
	entry.Retiring = []sandbox.Retiring{{TokenID: old, RevokeAfter: noon().AddDate(0, 0, 37)}}
	entry.NextRotation = noon().AddDate(0, 0, 60)
	entry.TokenID, _ = w.sandbox.Mint(entry.TokenName, noon().AddDate(0, 0, 120))
	vault.set(entry)
	w.await(`document.querySelectorAll(".timeline .tick").length === 1`)
	want(".stores p", "Vault 1 entry serves a token, 1 in overlap", "AWS Secrets Manager 1 entry serves a token")
	want("#slot-k3v7q2m6xtab .entry", "Vault secret/ci/paistrike version 2 serves w5c2m4pc the old token works until 8 Apr 2026, 12:00 UTC next rotation 1 May 2026, 12:00 UTC, in 30 days")
	want(row(old, ".held"))
	want(row(old, ".retires"), "retires 8 Apr 2026, 12:00 UTC")
	want(row(entry.TokenID, ".held"), "Vault serves it")
	want("#legend li:has(.tick)", "old token retires")
	w.do(chromedp.EmulateViewport(1240, 900))
	w.picture("stores")

	entry.LastError = "PS301"
	vault.set(entry)
	w.await(`document.querySelector("#slot-k3v7q2m6xtab .entry .error") !== null`)
	cloud.fail()
	w.await(`document.querySelector(".stores .failed") !== null`)
	want(".stores .failed", "AWS Secrets Manager does not answer; what it said last is shown")
	want(row(hand, ".held"), "AWS Secrets Manager serves it at team/paistrike")
}
