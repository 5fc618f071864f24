package sandbox

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestTimelineDrawsLifetimes(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	p := newPage(nil, newStore(nil), nil, nil)
	for _, tc := range []struct {
		name   string
		tokens []Token // newest first
		now    time.Time
		bars   []string // state, start, width, remaining width
		bands  []band
		at     string
	}{
		{"half of a life", []Token{{CreatedAt: day(0), ExpiresAt: day(100)}}, day(50), []string{"works 0.00% 50.00% 50.00%"}, nil, "50.00%"},
		{"over", []Token{{CreatedAt: day(0), ExpiresAt: day(50)}}, day(100), []string{"expired 0.00% 50.00% "}, nil, "100.00%"},
		{"revoked before its end", []Token{{CreatedAt: day(0), ExpiresAt: day(90), RevokedAt: day(20)}}, day(40), []string{"revoked 0.00% 50.00% "}, nil, "100.00%"},
		{"never ends", []Token{{CreatedAt: day(0)}}, day(60), []string{"works 0.00% 66.67% 33.33%→"}, nil, "66.67%"},
		{"ends in ten years", []Token{{CreatedAt: day(0), ExpiresAt: day(3650)}}, day(80), []string{"works 0.00% 25.00% 75.00%→"}, nil, "25.00%"},
		{"just made", []Token{{CreatedAt: day(0), ExpiresAt: day(100)}}, day(0), []string{"works 0.00% 0.40% 100.00%"}, nil, "0.00%"},
		{"made after now, as the clock went back", []Token{{CreatedAt: day(10), ExpiresAt: day(100)}}, day(0), []string{"works 10.00% 0.40% 90.00%"}, nil, "0.00%"},
		{"an overlap that goes on", []Token{{CreatedAt: day(40), ExpiresAt: day(100)}, {CreatedAt: day(0), ExpiresAt: day(60)}}, day(50), []string{"works 40.00% 10.00% 50.00%", "works 0.00% 50.00% 10.00%"}, []band{{"40.00%", "10.00%"}}, "50.00%"},
		{"an overlap that is over", []Token{{CreatedAt: day(40), ExpiresAt: day(100)}, {CreatedAt: day(0), ExpiresAt: day(90), RevokedAt: day(45)}}, day(50), []string{"works 40.00% 10.00% 50.00%", "revoked 0.00% 45.00% "}, []band{{"40.00%", "5.00%"}}, "50.00%"},
		{"a gap", []Token{{CreatedAt: day(40), ExpiresAt: day(100)}, {CreatedAt: day(0), ExpiresAt: day(30)}}, day(50), []string{"works 40.00% 10.00% 50.00%", "expired 0.00% 30.00% "}, nil, "50.00%"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := p.lines(tc.tokens, 0, index{}, tc.now)
			var bars []string
			for _, b := range got.Bars {
				text := fmt.Sprintf("%s %s %s %s", b.State, b.X, b.Width, b.Ahead)
				if b.Endless {
					text += "→"
				}
				bars = append(bars, text)
			}
			if !slices.Equal(bars, tc.bars) || !slices.Equal(got.Bands, tc.bands) || got.Now != tc.at {
				t.Errorf("bars %q, bands %v, now %s", bars, got.Bands, got.Now)
			}
		})
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "just now", 119 * time.Second: "just now", 2 * time.Minute: "2 minutes ago", 47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago",
		-time.Minute: "in a moment", -90 * time.Minute: "in 90 minutes", -30 * 24 * time.Hour: "in 30 days",
	} {
		if got := ago(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestFormsAreTakenOnceAndNotKeptForEver(t *testing.T) {
	t.Parallel()
	f := newForms()
	first := f.issue()
	second := f.issue()
	if !f.take(second) || f.take(second) || f.take("") {
		t.Error("a form is not taken exactly once")
	}
	for range maxForms {
		f.issue()
	}
	if f.take(first) || len(f.out) != maxForms {
		t.Errorf("%d forms are kept", len(f.out))
	}
}
