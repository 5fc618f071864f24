package provider

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

const aDay = 24 * time.Hour

// noon is the current time of every filter here.
func noon() time.Time { return time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC) }

func TestFilter(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	ago := func(days int) time.Time { return noon().Add(-time.Duration(days) * aDay) }
	in := func(days int) time.Time { return noon().Add(time.Duration(days) * aDay) }
	account := []paistrike.Token{
		{ID: "fresh", Name: "CI", CreatedAt: ago(1), ExpiresAt: in(89), Status: "active"},
		{ID: "used", Name: "Zapier", CreatedAt: ago(100), LastUsedAt: ago(1), Status: "active"},
		{ID: "idle", Name: "CI/CD", CreatedAt: ago(100), LastUsedAt: ago(30), ExpiresAt: in(14), Status: "active"},
		{ID: "idler", Name: "Cron", CreatedAt: ago(60), ExpiresAt: in(15), Status: "active"},
		{ID: "over", Name: "Old", CreatedAt: ago(90), LastUsedAt: ago(2), ExpiresAt: noon(), Status: "active"},
		{ID: "ended", Name: "Ended", CreatedAt: ago(9), ExpiresAt: in(2), Status: "revoked"},
		{ID: "ours", Name: "CI-ps1-k3v7q2m6xtab-7h2k5q-12-w5c2m4pa", CreatedAt: ago(3), LastUsedAt: ago(1), ExpiresAt: in(87), Status: "active"},
		{ID: "bare", Name: "unknown age", Status: "active"},
	}
	for _, c := range []struct {
		name   string
		filter tokenFilter
		want   []string // in the order of the names
	}{
		{"all", tokenFilter{}, []string{"fresh", "ours", "idle", "idler", "ended", "over", "used", "bare"}},
		{"name", tokenFilter{name: regexp.MustCompile("^CI")}, []string{"fresh", "ours", "idle"}},
		{"active", tokenFilter{status: "active"}, []string{"fresh", "ours", "idle", "idler", "used", "bare"}},
		{"expired at the very second", tokenFilter{status: "expired"}, []string{"over"}},
		{"revoked", tokenFilter{status: "revoked"}, []string{"ended"}},
		{"expiring, the last second included", tokenFilter{expiresWithin: 14 * aDay}, []string{"idle"}},
		{"unused, the last second included", tokenFilter{unusedFor: 30 * aDay}, []string{"idle", "idler", "bare"}},
		{"never used", tokenFilter{neverUsed: &yes}, []string{"fresh", "idler", "ended", "bare"}},
		{"used", tokenFilter{neverUsed: &no}, []string{"ours", "idle", "over", "used"}},
		{"old, not of that very second", tokenFilter{createdBefore: ago(60)}, []string{"idle", "over", "used"}},
		{"managed", tokenFilter{managed: &yes}, []string{"ours"}},
		{"not managed, never used, active", tokenFilter{managed: &no, neverUsed: &yes, status: "active"}, []string{"fresh", "idler", "bare"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			backwards := slices.Clone(account)
			slices.Reverse(backwards)
			for _, tokens := range [][]paistrike.Token{account, backwards} {
				var got []string
				for _, token := range c.filter.choose(tokens, noon()) {
					got = append(got, token.ID)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestDaysLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expires, now time.Time
		want         types.Int64
	}{
		{time.Time{}, noon(), types.Int64Null()},
		{noon(), time.Time{}, types.Int64Null()},
		{noon().Add(14 * aDay), noon(), types.Int64Value(14)},
		{noon().Add(14*aDay - time.Second), noon(), types.Int64Value(13)},
		{noon(), noon(), types.Int64Value(0)},
		{noon().Add(-time.Second), noon(), types.Int64Value(-1)},
	} {
		if got := daysLeft(c.expires, c.now); !got.Equal(c.want) {
			t.Errorf("from %s to %s: got %s, want %s", c.now, c.expires, got, c.want)
		}
	}
}

// A configuration is converted to the corresponding filter.
func TestFilterOfAConfiguration(t *testing.T) {
	t.Parallel()
	f := tokenFilterModel{
		NameRegex: types.StringValue("^a"), Status: types.StringValue("active"), ExpiresWithin: types.StringValue("14d"),
		UnusedFor: types.StringValue("36h"), NeverUsed: types.BoolValue(false), CreatedBefore: types.StringValue("2026-01-31"), Managed: types.BoolValue(true),
	}.filter()
	got := fmt.Sprintf("%v %v %v %v %v %s %v", f.name, f.status, f.expiresWithin, f.unusedFor, *f.neverUsed, f.createdBefore.Format(time.DateOnly), *f.managed)
	if want := "^a active 336h0m0s 36h0m0s false 2026-01-31 true"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if none := (tokenFilterModel{}).filter(); none.neverUsed != nil || none.managed != nil || none.needsClock() || !none.createdBefore.IsZero() {
		t.Errorf("an empty filter became %+v", none)
	}
}
