package entry_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// sameSecret lets go-cmp compare secrets, which do not show their value.
var sameSecret = cmp.Comparer(func(a, b secret.Secret) bool { return a.Reveal() == b.Reveal() })

func TestRecordLayout(t *testing.T) {
	t.Parallel()
	r := record("pstk_1", "12")
	r.Owner, r.Intent, r.Identity, r.Endpoint = "res-1", "intent-1", "vault.example.com:8200", "https://paistrike.example.com/api/v1"
	r.Schedule = schedule.Schedule{ExpiresIn: "90d", Cron: "17 3 * * 1", Timezone: "Europe/Berlin", Overlap: "24h"}
	r.Retiring = []entry.Retiring{{
		ID: "tok_0", Name: "old", SupersededAt: time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC),
		RevokeAfter: time.Date(2026, 5, 2, 12, 0, 1, 0, time.FixedZone("", 7200)),
	}}
	data, err := entry.EncodeRecord("token", r)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"token": "pstk_1", "token_id": "tok_1", "token_name": r.TokenName,
		"created_at": "2026-05-01T12:00:00Z", "expires_at": "2026-07-30T12:00:00Z",
		"paistrike": `{"v":1,"state":"active","slot":"k3v9q2m7xtab","inc":"7h2k9q","gen":13,"base":"12","op":"w5c2m8pa",` +
			`"owner":"res-1","intent":"intent-1","identity":"vault.example.com:8200","endpoint":"https://paistrike.example.com/api/v1",` +
			`"schedule":{"expires_in":"90d","overlap":"24h","rotation_schedule":"17 3 * * 1","rotation_timezone":"Europe/Berlin"},` +
			`"verified_at":"2026-05-01T12:00:01Z",` +
			`"retiring":[{"id":"tok_0","name":"old","superseded_at":"2026-05-01T12:00:01Z","revoke_after":"2026-05-02T10:00:01Z"}]}`,
	}
	if diff := cmp.Diff(want, data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

func TestRecordLayoutVariants(t *testing.T) {
	t.Parallel()
	t.Run("never expires", func(t *testing.T) {
		t.Parallel()
		r := record("s", "")
		r.ExpiresAt = time.Time{}
		data, err := entry.EncodeRecord("token", r)
		if err != nil || data["expires_at"] != "never" {
			t.Errorf("expires_at %v, %v", data["expires_at"], err)
		}
	})
	t.Run("another key with an alias", func(t *testing.T) {
		t.Parallel()
		r := record("s", "")
		r.Alias = "old_key"
		data, err := entry.EncodeRecord("api_key", r)
		if err != nil || data["api_key"] != "s" || data["old_key"] != "s" || data["token"] != nil {
			t.Fatalf("fields %v, %v", maps.Keys(data), err)
		}
		got, err := entry.DecodeRecord("token", data) // the key in the record takes precedence over the argument
		if err != nil || got.Key != "api_key" || got.Alias != "old_key" || got.Secret.Reveal() != "s" {
			t.Errorf("read back %+v, %v", got, err)
		}
	})
	t.Run("a tombstone has no secret", func(t *testing.T) {
		t.Parallel()
		data, err := entry.EncodeRecord("token", entry.Record{State: entry.StateTombstone, Slot: "s", Inc: "i", Gen: 4, Base: "3", Op: "o", Alias: "b"})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"paistrike": `{"v":1,"state":"tombstone","slot":"s","inc":"i","gen":4,"base":"3","op":"o","alias":"b","retiring":[]}`}
		if diff := cmp.Diff(want, data); diff != "" {
			t.Errorf("data (-want +got):\n%s", diff)
		}
	})
}

func TestEncodeRecordRefuses(t *testing.T) {
	t.Parallel()
	change := func(f func(*entry.Record)) entry.Record {
		r := record("s3cret-value", "1")
		f(&r)
		return r
	}
	for _, test := range []struct {
		name, key string
		record    entry.Record
	}{
		{"a key that is taken", "token_id", record("s3cret-value", "1")},
		{"the record's own field", "paistrike", record("s3cret-value", "1")},
		{"an alias that is taken", "token", change(func(r *entry.Record) { r.Alias = "expires_at" })},
		{"an alias like the key", "token", change(func(r *entry.Record) { r.Alias = "token" })},
		{"no secret", "token", change(func(r *entry.Record) { r.Secret = secret.Secret{} })},
		{"no token id", "token", change(func(r *entry.Record) { r.TokenID = "" })},
		{"a tombstone with a secret", "token", change(func(r *entry.Record) { r.State = entry.StateTombstone })},
		{"no state", "token", change(func(r *entry.Record) { r.State = "" })},
		{"no slot", "token", change(func(r *entry.Record) { r.Slot = "" })},
		{"no incarnation", "token", change(func(r *entry.Record) { r.Inc = "" })},
		{"no run", "token", change(func(r *entry.Record) { r.Op = "" })},
		{"no generation", "token", change(func(r *entry.Record) { r.Gen = 0 })},
		{"a generation below zero", "token", change(func(r *entry.Record) { r.Gen = -1 })},
		{"a time that cannot be read back", "token", change(func(r *entry.Record) { r.ExpiresAt = time.Date(29000, 1, 1, 0, 0, 0, 0, time.UTC) })},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data, err := entry.EncodeRecord(test.key, test.record)
			if err == nil {
				t.Fatalf("wrote %v", data["paistrike"])
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func TestDecodeRecordOfOthers(t *testing.T) {
	t.Parallel()
	good := func() map[string]any {
		data, err := entry.EncodeRecord("token", record("canary-s3cret", "4"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	without := func(field string) map[string]any { d := good(); delete(d, field); return d }
	with := func(field string, value any) map[string]any { d := good(); d[field] = value; return d }
	protocol := func(part, instead string) map[string]any {
		d := good()
		d["paistrike"] = strings.Replace(fmt.Sprint(d["paistrike"]), part, instead, 1)
		return d
	}
	for _, test := range []struct {
		name  string
		data  map[string]any
		newer bool
	}{
		{name: "no data", data: nil},
		{name: "another program's data", data: map[string]any{"password": "canary-s3cret"}},
		{name: "a field of the same name, not a text", data: with("paistrike", map[string]any{"v": 1})},
		{name: "no JSON", data: with("paistrike", "canary-s3cret")},
		{name: "JSON null", data: with("paistrike", "null")},
		{name: "no version", data: protocol(`"v":1,`, ``)},
		{name: "version zero", data: protocol(`"v":1,`, `"v":0,`)},
		{name: "a newer version", data: protocol(`"v":1,`, `"v":2,`), newer: true},
		{name: "a newer version laid out otherwise", data: with("paistrike", `{"v":3,"state":{"is":"canary-s3cret"}}`), newer: true},
		{name: "no slot", data: protocol(`"slot":"k3v9q2m7xtab",`, ``)},
		{name: "a state of its own", data: protocol(`"active"`, `"canary-s3cret"`)},
		{name: "no generation", data: protocol(`"gen":13,`, ``)},
		{name: "a generation below zero", data: protocol(`"gen":13`, `"gen":-13`)},
		{name: "a generation that is not a number", data: protocol(`"gen":13`, `"gen":"canary-s3cret"`)},
		{name: "a base that is a number", data: protocol(`"base":"4"`, `"base":4`)},
		{name: "a schedule that is not a table", data: protocol(`"retiring"`, `"schedule":"canary-s3cret","retiring"`)},
		{name: "a setting that is not a text", data: protocol(`"retiring"`, `"schedule":{"overlap":24},"retiring"`)},
		{name: "a time that is none", data: protocol(`"2026-05-01T12:00:01Z"`, `"canary-s3cret"`)},
		{name: "a key that is taken", data: protocol(`"retiring"`, `"key":"token_id","retiring"`)},
		{name: "no secret", data: without("token")},
		{name: "a secret that is no text", data: with("token", 5)},
		{name: "no token id", data: without("token_id")},
		{name: "no expiry", data: without("expires_at")},
		{name: "an expiry that is none", data: with("expires_at", "canary-s3cret")},
		{name: "a creation that never was", data: with("created_at", "never")},
		{name: "a tombstone with a secret", data: protocol(`"state":"active"`, `"state":"tombstone","x":"y"`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := entry.DecodeRecord("token", test.data)
			if test.name == "a tombstone with a secret" { // the secret is not read
				if err != nil || !got.Secret.IsZero() {
					t.Fatalf("read %v, %v", got, err)
				}
				return
			}
			if err == nil {
				t.Fatalf("took it for a record: %+v", got)
			}
			if _, newer := errors.AsType[*entry.SchemaError](err); newer != test.newer {
				t.Errorf("error %T: %v", err, err)
			}
			if _, foreign := errors.AsType[*entry.ForeignError](err); foreign == test.newer {
				t.Errorf("error %T: %v", err, err)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error quotes the data: %v", err)
			}
		})
	}
}

// times are in whole seconds, as in PAIStrike's responses, or zero.
var times = rapid.Custom(func(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "zero") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(0, 250_000_000_000).Draw(t, "seconds"), 0).UTC()
})

var text = rapid.StringMatching(`[ -~é🔑]{1,12}`)

// maybe is a text that may be empty.
var maybe = rapid.OneOf(rapid.Just(""), text)

// drawSchedule fills every setting, whatever its name.
func drawSchedule(t *rapid.T, value *rapid.Generator[string]) schedule.Schedule {
	var s schedule.Schedule
	for _, field := range s.Fields() {
		*field.Value = value.Draw(t, field.Key)
	}
	return s
}

func drawRecord(t *rapid.T, key string) entry.Record {
	r := entry.Record{
		State: rapid.SampledFrom([]entry.State{entry.StateActive, entry.StateTombstone}).Draw(t, "state"),
		Slot:  text.Draw(t, "slot"), Inc: text.Draw(t, "inc"), Op: text.Draw(t, "op"),
		Gen: rapid.IntRange(1, 1<<40).Draw(t, "gen"), Base: entry.Revision(maybe.Draw(t, "base")),
		Owner: maybe.Draw(t, "owner"), Intent: maybe.Draw(t, "intent"),
		Identity: maybe.Draw(t, "identity"), Endpoint: maybe.Draw(t, "endpoint"), Schedule: drawSchedule(t, maybe),
		CreatedAt: times.Draw(t, "created"), ExpiresAt: times.Draw(t, "expires"), VerifiedAt: times.Draw(t, "verified"),
		TokenName: maybe.Draw(t, "name"), TokenID: text.Draw(t, "id"),
		Key: key,
	}
	if rapid.Bool().Draw(t, "alias") {
		r.Alias = key + "_before"
	}
	if r.State == entry.StateActive {
		r.Secret = secret.New(text.Draw(t, "secret"))
	} else if r.Key != "" {
		r.TokenID = maybe.Draw(t, "former id")
	}
	for range rapid.IntRange(0, 4).Draw(t, "retiring") {
		r.Retiring = append(r.Retiring, entry.Retiring{
			ID: text.Draw(t, "old id"), Name: text.Draw(t, "old name"),
			SupersededAt: times.Draw(t, "superseded"), RevokeAfter: times.Draw(t, "due"), ExpiresAt: times.Draw(t, "old expires"),
		})
	}
	return r
}

func TestRecordReadsBackAsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"token", "api_key", "PAISTRIKE TOKEN"}).Draw(t, "key")
		want := drawRecord(t, key)
		data, err := entry.EncodeRecord(key, want)
		if err != nil {
			t.Fatal(err)
		}
		onWire, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]any
		if err := json.Unmarshal(onWire, &read); err != nil {
			t.Fatal(err)
		}
		got, err := entry.DecodeRecord(rapid.SampledFrom([]string{"token", "other", ""}).Draw(t, "asked"), read)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameSecret); diff != "" {
			t.Fatalf("(-written +read):\n%s", diff)
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	data, err := entry.EncodeRecord("token", record("s", "1"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(fmt.Sprint(data["paistrike"]), "s", "2026-07-30T12:00:00Z")
	f.Add(`{"v":1,"state":"tombstone","slot":"s","inc":"i","gen":1,"base":"","op":"o","schedule":{"overlap":"24h"},"retiring":null}`, "", "never")
	f.Fuzz(func(t *testing.T, protocol, secret, expires string) {
		r, err := entry.DecodeRecord("token", map[string]any{
			"paistrike": protocol, "token": secret, "token_id": "tok_1", "expires_at": expires,
		})
		if err != nil {
			return
		}
		again, err := entry.EncodeRecord(r.Key, r) // what can be decoded can be encoded again
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		back, err := entry.DecodeRecord(r.Key, again)
		if err != nil || fmt.Sprint(back.TokenID, back.Gen, back.Base, back.Op, back.Schedule) != fmt.Sprint(r.TokenID, r.Gen, r.Base, r.Op, r.Schedule) {
			t.Fatalf("%+v became %+v: %v", r, back, err)
		}
	})
}
