package provider_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// wrong is a configuration with one mistake, and the error that the user gets.
type wrong struct {
	config          string
	summary, detail string
}

// diagnose plans all configurations at once, each with its own resource name, and returns
// the errors by that name.
func (s *stage) diagnose(rows map[string]wrong) map[string][]wrong {
	s.Helper()
	keys := slices.Sorted(maps.Keys(rows))
	var config strings.Builder
	for i, key := range keys {
		config.WriteString(strings.ReplaceAll(edit(rows[key].config, `"ci"`, fmt.Sprintf("%q", label(i))), "ALIAS", label(i)))
	}
	found := map[string][]wrong{}
	person := s.terminal(config.String())
	out, err := person.Run(s.Context(), "plan", "-json", "-no-color")
	if err == nil {
		s.Fatal("the plan went well")
	}
	lines := bufio.NewScanner(strings.NewReader(out.Stdout))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Diagnostic struct {
				Severity, Summary, Detail, Address string
				Snippet                            struct{ Context string }
			}
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Diagnostic.Severity != "error" {
			continue
		}
		d := line.Diagnostic
		i := slices.IndexFunc(keys, func(key string) bool {
			name := label(slices.Index(keys, key))
			return strings.HasSuffix(d.Address, "."+name) || strings.HasSuffix(d.Snippet.Context, fmt.Sprintf("%q", name)) || strings.HasSuffix(d.Address, "."+name+`"]`)
		})
		if i < 0 {
			s.Errorf("an error that belongs to no row: %+v", d)
			continue
		}
		found[keys[i]] = append(found[keys[i]], wrong{summary: d.Summary, detail: d.Detail})
	}
	return found
}

func label(i int) string { return fmt.Sprintf("row%02d", i) }

// compare compares each row with its only error.
func (s *stage) compare(rows map[string]wrong) {
	s.Helper()
	found := s.diagnose(rows)
	for key, want := range rows {
		got := found[key]
		if len(got) != 1 || got[0].summary != want.summary || got[0].detail != want.detail {
			s.Errorf("%s:\n  want %q\n       %q\n  got  %q", key, want.summary, want.detail, got)
		}
	}
}

func TestInvalidConfiguration(t *testing.T) {
	s := newStage(t)
	rotation := func(settings string) string {
		return edit(standard, `period = "30d", overlap = "24h"`, settings)
	}
	in := func(lifetime, settings string) string { return edit(rotation(settings), `"90d"`, `"`+lifetime+`"`) }
	vault := func(settings string) string {
		return edit(standard, `mount = "secret", path = "ci/paistrike"`, settings)
	}
	name := func(name string) string { return edit(standard, "CI/CD Pipeline", name) }
	s.compare(map[string]wrong{
		"both expires_in and expires_at": {
			edit(standard, `expires_in = "90d"`, "expires_in = \"90d\"\n  expires_at = \"2027-01-31\""),
			"Invalid expires_in", "expires_in and expires_at are both set. Set only one of them.",
		},
		"neither": {
			edit(standard, `  expires_in = "90d"`+"\n", ""),
			"Invalid expires_in", `neither expires_in nor expires_at is set. Set expires_in to a lifetime such as "90d" or to "never", or set expires_at to a fixed time.`,
		},
		"lifetime of zero":       {in("0d", `period = "30d"`), "Invalid expires_in", `"0d" is not a positive duration.`},
		"lifetime below zero":    {in("-1h", `period = "30d"`), "Invalid expires_in", `"-1h" is not a duration such as "90d", "36h" or "15m".`},
		"lifetime in words":      {in("a month", `period = "30d"`), "Invalid expires_in", `"a month" is not a duration such as "90d", "36h" or "15m".`},
		"lifetime of an age":     {in("99999d", `period = "30d"`), "Invalid expires_in", `"99999d" is longer than 36500d.`},
		"expires_at in words":    {edit(standard, `expires_in = "90d"`, `expires_at = "soon"`), "Invalid expires_at", `"soon" is not a time such as "2027-01-31T00:00:00Z" or "2027-01-31".`},
		"expires_at in fraction": {edit(standard, `expires_in = "90d"`, `expires_at = "2027-01-31T00:00:00.5Z"`), "Invalid expires_at", `"2027-01-31T00:00:00.5Z" is not a whole second.`},
		"period of zero":         {rotation(`period = "0s"`), "Invalid rotation.period", `"0s" is not a positive duration.`},
		"overlap in words":       {rotation(`overlap = "1 day"`), "Invalid rotation.overlap", `"1 day" is not a duration such as "90d", "36h" or "15m".`},
		"before_expiry too long": {
			rotation(`before_expiry = "90d"`), "Invalid rotation.before_expiry",
			"90d is not shorter than the lifetime of 90d: every new token would be due immediately.",
		},
		"before_expiry of a token without": {
			in("never", `before_expiry = "14d"`), "Invalid rotation.before_expiry",
			"it requires a lifetime in expires_in. With a fixed expiry, or with none, a new token would not expire later than the old one.",
		},
		"period beyond the lifetime": {
			rotation(`period = "90d"`), "Invalid rotation.period",
			"90d is not shorter than the lifetime of 90d: the token would expire first.",
		},
		"overlap beyond the period": {
			rotation(`period = "7d", overlap = "7d"`), "Invalid rotation.overlap",
			"7d is not shorter than the period of 7d: replaced tokens would pile up.",
		},
		"overlap beyond the lifetime": {
			rotation(`overlap = "90d", before_expiry = "1d"`), "Invalid rotation.overlap",
			"90d is not shorter than the lifetime of 90d: the old token expires before its overlap is over.",
		},
		"both period and schedule": {
			rotation(`period = "30d", schedule = "17 3 * * 1"`),
			"Invalid Attribute Combination", `Attribute "rotation.period" cannot be specified when "rotation.schedule" is specified`,
		},
		"window without schedule": {
			rotation(`period = "30d", window = "6h"`), "Invalid rotation.window",
			"a window requires a schedule, but rotation.schedule is not set.",
		},
		"window too short": {
			rotation(`schedule = "17 3 * * 1", window = "10m"`), "Invalid rotation.window",
			"10m is shorter than 1h: a scheduled run that starts late would miss it.",
		},
		"schedule in words":      {rotation(`schedule = "@weekly"`), "Invalid rotation.schedule", `"@weekly" has 1 fields, a schedule has 5: minute, hour, day of month, month, day of week (UTC).`},
		"schedule of six fields": {rotation(`schedule = "0 17 3 * * 1"`), "Invalid rotation.schedule", `"0 17 3 * * 1" has 6 fields, a schedule has 5: minute, hour, day of month, month, day of week (UTC).`},
		"schedule with a zone":   {rotation(`schedule = "TZ=UTC 3 * * 1"`), "Invalid rotation.schedule", `schedule "TZ=UTC 3 * * 1": "TZ=UTC" is not a valid minute.`},
		"schedule that never fires": {
			rotation(`schedule = "0 3 31 2 *"`), "Invalid rotation.schedule", `"0 3 31 2 *" never fires.`,
		},
		"schedule that pauses too long": {
			rotation(`schedule = "0 3 1 1,7 *"`), "Invalid rotation.schedule",
			`"0 3 1 1,7 *" pauses for 184d, which is not shorter than the lifetime of 90d: the token would expire first.`,
		},
		"overlap beyond the schedule": {
			rotation(`schedule = "17 3 * * *", overlap = "24h"`), "Invalid rotation.overlap",
			"1d is not shorter than the 1d between two rotations: replaced tokens would pile up.",
		},
		"on_revoked unknown": {
			rotation(`on_revoked = "panic"`), "Invalid Attribute Value Match",
			`Attribute rotation.on_revoked value must be one of: ["rotate" "error" "ignore"], got: "panic"`,
		},
		"name empty": {name(""), "Invalid name", "the name is empty."},
		"name of 61 characters": {
			name(strings.Repeat("ü", 61)), "Invalid name",
			"the name has 61 characters, but the maximum is 60: PAIStrike allows 100, and the suffix for rotation needs the rest.",
		},
		"name that begins with a space": {name(" CI"), "Invalid name", "the name begins or ends with white space."},
		"name that ends with a space":   {name("CI "), "Invalid name", "the name begins or ends with white space."},
		"name with a control character": {name(`a\u0007b`), "Invalid name", "the name contains a control character."},
		"mount empty":                   {vault(`mount = "", path = "a"`), "Invalid vault.mount", "it is empty."},
		"path empty":                    {vault(`mount = "secret", path = ""`), "Invalid vault.path", "it is empty."},
		"mount that ends with a slash":  {vault(`mount = "secret/", path = "a"`), "Invalid vault.mount", `"secret/" begins or ends with a slash.`},
		"path that begins with a slash": {vault(`mount = "secret", path = "/a"`), "Invalid vault.path", `"/a" begins or ends with a slash.`},
		"path with an empty segment":    {vault(`mount = "secret", path = "a//b"`), "Invalid vault.path", `"a//b" has an empty segment.`},
		"path that climbs":              {vault(`mount = "secret", path = "a/../b"`), "Invalid vault.path", `"a/../b" has a segment that is "." or "..".`},
		"path with a question mark":     {vault(`mount = "secret", path = "a?b"`), "Invalid vault.path", `"a?b" contains a character that is not allowed in a Vault path.`},
		"namespace with a slash":        {vault(`mount = "secret", path = "a", namespace = "team/"`), "Invalid vault.namespace", `"team/" begins or ends with a slash.`},
		"key that is taken":             {vault(`mount = "secret", path = "a", key = "token_id"`), "Invalid vault.key", `"token_id" is reserved for another field of the entry.`},
		"key empty":                     {vault(`mount = "secret", path = "a", key = ""`), "Invalid vault.key", `"" is not a field name.`},
		"on_destroy unknown": {
			vault(`mount = "secret", path = "a", on_destroy = "shred"`), "Invalid Attribute Value Match",
			`Attribute vault.on_destroy value must be one of: ["delete" "keep" "purge"], got: "shred"`,
		},
	})
	s.nobodyWasAsked()
}

// nobodyWasAsked fails the test if the provider called PAIStrike or Vault.
func (s *stage) nobodyWasAsked() {
	s.Helper()
	s.wantCalls(s.apiCalls(), "", 0)
	s.wantCalls(s.vaultCalls(), "", 0)
}

// by returns [standard] with a provider block that contains the settings.
func by(settings string) string {
	return fmt.Sprintf("provider \"paistrike\" {\n  alias = \"ALIAS\"\n%s\n}\n", settings) +
		edit(standard, "  name ", "  provider = paistrike.ALIAS\n  name ")
}

func TestInvalidProviderConfiguration(t *testing.T) {
	s := newStage(t)
	delete(s.env, "PAISTRIKE_ENDPOINT")
	const summary = "Provider configuration is invalid"
	endpoint := `  endpoint = "` + s.apiURL + `"` + "\n"
	policy := func(policy string) string { return by(endpoint + "  token_policy = { " + policy + " }") }
	s.compare(map[string]wrong{
		"no endpoint": {
			by(""), summary,
			"endpoint is not set: write it in the provider block or set PAISTRIKE_ENDPOINT. There is no default, because the management token is sent there",
		},
		"endpoint without TLS": {by(`  endpoint = "http://paistrike.example.com"`), summary, "endpoint: must begin with https:// (http:// is for loopback addresses only)"},
		"headers that carry the bearer": {
			by(endpoint + `  headers = { Authorization = "Basic abc" }`), summary, "headers: Authorization is set from the API token",
		},
		"two ways to log in": {
			by(endpoint + `  vault = {
    auth_login_jwt     = { role = "a" }
    auth_login_approle = { role_id = "b" }
  }`), summary, "vault.auth_login_approle and vault.auth_login_jwt are both set: choose one way to log in",
		},
		"a lifetime beyond the guard rails": {
			policy(`max_expires_in = "30d"`), "Token lives too long", "expires_in is 90d, but the provider's token_policy allows at most 30d.",
		},
		"never beyond the guard rails": {
			edit(policy(`max_expires_in = "30d"`), `"90d"`, `"never"`), "Token without expiry is not allowed",
			`The provider's token_policy does not allow expires_in = "never". Give the token a lifetime, or set token_policy.allow_never = true.`,
		},
	})
	s.compare(map[string]wrong{
		"a guard rail in words": {
			policy(`max_expires_in = "long"`), "Invalid token_policy.max_expires_in", `"long" is not a duration such as "90d", "36h" or "15m".`,
		},
	})
	s.nobodyWasAsked()
}

// The server's clock decides whether a fixed expiry has passed, or is too far away.
func TestInvalidEnd(t *testing.T) {
	onOneCLI(t)
	s := newStage(t)
	until := func(end, policy string) string {
		return edit(by("  token_policy = { "+policy+" }"), `expires_in = "90d"`, `expires_at = "`+end+`"`, `period = "30d", `, "")
	}
	s.compare(map[string]wrong{
		"in the past": {
			until("2026-01-05T09:00:00Z", ""), "Expiry is in the past",
			"expires_at is 2026-01-05T09:00:00Z, but PAIStrike's clock is at 2026-01-05T09:00:00Z. Nothing was created.",
		},
		"beyond the guard rails": {
			until("2026-02-05", `max_expires_in = "30d"`), "Token lives too long",
			"expires_at is 2026-02-05T00:00:00Z, but the provider's token_policy allows at most 30d. Nothing was created.",
		},
	})
	s.wantCalls(s.apiCalls(), "POST", 0)
	s.wantCalls(s.vaultCalls(), "PUT", 0)
}
