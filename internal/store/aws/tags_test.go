package aws_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// TestTagsKeepMetadata shows that any text can be stored in tags that AWS accepts, and
// read back unchanged.
func TestTagsKeepMetadata(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		metadata := rapid.MapOfN(rapid.StringMatching(`[a-z_]{1,20}`), rapid.StringN(0, 300, 900), 1, 8).Draw(t, "metadata")
		tags := aws.EncodeTags(metadata)
		// The continuation of an earlier, longer value is ignored.
		plain := map[string]string{}
		for key := range metadata {
			for _, i := range []string{".2", ".3", ".4", ".5"} {
				plain[key+i] = "left behind"
			}
		}
		for _, tag := range tags {
			plain[*tag.Key] = *tag.Value
			if n := len([]rune(*tag.Value)); n > 256 {
				t.Fatalf("a tag of %d characters", n)
			}
			if !aws.FitsTag(*tag.Value) {
				t.Fatalf("AWS does not take %q", *tag.Value)
			}
		}
		got := aws.DecodeTags(plain)
		maps.DeleteFunc(got, func(key, _ string) bool { _, ok := metadata[key]; return !ok })
		if diff := cmp.Diff(metadata, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

// TestLargestMirror shows that AWS accepts the largest possible mirror, and that a later,
// smaller one replaces it.
func TestLargestMirror(t *testing.T) {
	t.Parallel()
	w := newWorld(t, startAWS(t), "mirror")
	w.settings.Tags = map[string]string{"team": "blue"}
	w.create()
	_, version := w.value()
	mirror := entry.Mirror{
		State: entry.StateActive, Of: 1, Revision: entry.Revision(version), Slot: strings.Repeat("s", 12), Owner: strings.Repeat("ö", 90),
		Identity: "123456789012/eu-central-1", Endpoint: "https://paistrike.example.com/api?v=1&x=*", Key: "key*", TokenID: "tok;@=%",
		TokenName: strings.Repeat("=*", 80), CreatedAt: firstDay, ExpiresAt: firstDay.Add(day), NextRotation: firstDay, LastRun: firstDay, LastError: "PS205",
		Schedule: schedule.Schedule{Cron: "17 3 * * 1", Window: "24h", Overlap: "1d"},
	}
	for i := range 12 {
		mirror.Retiring = append(mirror.Retiring, entry.RetiringRef{ID: strings.Repeat("é", 3) + string(rune('a'+i)), RevokeAfter: firstDay.Add(time.Duration(i) * time.Hour)})
	}
	s := w.store(w.wire())
	for _, want := range []entry.Mirror{mirror, {State: entry.StateTombstone, Of: 2, Revision: "x", Slot: "y"}} {
		if err := s.Describe(t.Context(), w.at, want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Look(t.Context(), w.at)
		if err != nil || got.Problem != nil || !got.Managed || !got.Mirror.Says(want) {
			t.Errorf("%v, %v: (-want +got)\n%s", err, got.Problem, cmp.Diff(entry.EncodeMirror(want), entry.EncodeMirror(got.Mirror)))
		}
	}
	found := false
	for _, tag := range w.described().Tags {
		found = found || *tag.Key == "team" && *tag.Value == "blue"
	}
	if !found {
		t.Error("the user's tag is gone")
	}
}

// TestRetag shows which requests a change of a resource's tags makes: a tag is removed
// only if the resource configured it before and no one has changed it since.
func TestRetag(t *testing.T) {
	t.Parallel()
	server := startAWS(t)
	type tags = map[string]string
	for i, test := range []struct {
		name                   string
		before, byHand, wanted tags
		calls                  []string
		left                   tags
		removed                []any
	}{
		{"nothing has changed", tags{"team": "blue"}, nil, tags{"team": "blue"}, nil, tags{"team": "blue"}, nil},
		{"one is added", tags{"team": "blue"}, nil, tags{"team": "blue", "cost": "42"}, []string{"TagResource"}, tags{"team": "blue", "cost": "42"}, nil},
		{"one is removed", tags{"team": "blue", "cost": "42"}, nil, tags{"team": "blue"}, []string{"DescribeSecret", "UntagResource"}, tags{"team": "blue"}, []any{"cost"}},
		{"all are removed", tags{"team": "blue", "cost": "42"}, nil, nil, []string{"DescribeSecret", "UntagResource"}, tags{}, []any{"cost", "team"}},
		{"one is replaced by another", tags{"team": "blue"}, nil, tags{"cost": "42"}, []string{"TagResource", "DescribeSecret", "UntagResource"}, tags{"cost": "42"}, []any{"team"}},
		{"someone changed it meanwhile", tags{"team": "blue"}, tags{"team": "red"}, nil, []string{"DescribeSecret"}, tags{"team": "red"}, nil},
		{"another's tag stays", tags{"team": "blue"}, tags{"owner": "finance"}, nil, []string{"DescribeSecret", "UntagResource"}, tags{"owner": "finance"}, []any{"team"}},
	} {
		w := newWorld(t, server, fmt.Sprintf("ci/retag-%d", i))
		w.settings.Tags = test.before
		w.create()
		w.tag(test.byHand)
		w.settings.Tags = test.wanted
		store := w.store(w.wire())
		if _, err := store.Look(t.Context(), w.at); err != nil { // a first call may be made twice
			t.Fatal(err)
		}
		server.ForgetJournal()
		if err := store.Retag(t.Context(), w.at, test.before); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var calls []string
		for _, event := range server.Journal() {
			calls = append(calls, event.EventName)
			if event.EventName == "UntagResource" && !cmp.Equal(event.RequestParameters["tagKeys"], any(test.removed)) {
				t.Errorf("%s: removed %v, want %v", test.name, event.RequestParameters, test.removed)
			}
		}
		left, kept := tags{}, false
		for _, tag := range w.described().Tags {
			if kept = kept || *tag.Key == "managed_by"; !strings.HasPrefix(*tag.Key, "paistrike_") && *tag.Key != "managed_by" {
				left[*tag.Key] = *tag.Value
			}
		}
		if !slices.Equal(calls, test.calls) || !maps.Equal(left, test.left) || !kept {
			t.Errorf("%s: %v leaves %v, want %v and %v", test.name, calls, left, test.calls, test.left)
		}
	}
}
