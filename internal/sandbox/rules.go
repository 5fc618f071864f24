package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const maxNameLength = 100

// Codes of the field errors of a rejected create.
const (
	fieldRequired     = "required"
	fieldTooLong      = "too_long"
	fieldWhitespace   = "whitespace"
	fieldControl      = "control_character"
	fieldBadTime      = "bad_time"
	fieldInPast       = "in_past"
	fieldBelowMin     = "below_min"
	fieldExceedsMax   = "exceeds_max"
	fieldIssuer       = "exceeds_issuer"
	fieldLimitReached = "limit_reached"
	fieldUnknown      = "unknown_field"
)

// fieldError describes one invalid field. Pointer is a JSON pointer.
type fieldError struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// invalidDraft is the detail of every rejected draft. The field errors give the reasons.
const invalidDraft = "the token cannot be made as asked"

// invalidError rejects a draft, with all reasons.
type invalidError struct{ fields []fieldError }

func (e *invalidError) Error() string {
	codes := make([]string, len(e.fields))
	for i, f := range e.fields {
		codes[i] = f.Pointer + " " + f.Code
	}
	return "invalid token: " + strings.Join(codes, ", ")
}

// draft is a requested token. A zero ExpiresAt means never.
type draft struct {
	Name      string
	ExpiresAt time.Time
}

// readDraft reads the fields of a request body. Other rules decide whether the draft is
// allowed. Unknown fields are rejected, so that a client that drifts fails immediately.
func readDraft(fields map[string]json.RawMessage, p Policy) (draft, []fieldError) {
	var d draft
	var faults []fieldError
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if name != "name" && name != "expires_at" {
			pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
			faults = append(faults, fieldError{pointer, fieldUnknown, "there is no such field"})
		}
	}
	var name *string
	if err := json.Unmarshal(orNullJSON(fields["name"]), &name); err != nil || name == nil {
		faults = append(faults, fieldError{"/name", fieldRequired, "a name is required, as a text"})
	} else {
		d.Name = *name
	}
	var ok bool
	if d.ExpiresAt, ok = readExpiry(orNullJSON(fields["expires_at"]), p); !ok {
		faults = append(faults, fieldError{"/expires_at", fieldBadTime, "an RFC 3339 time with a zone is required, or null for never"})
	}
	return d, faults
}

func orNullJSON(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// checkName applies the contract's rules: 1 to 100 code points, no control characters, no
// leading or trailing white space. Trimming would store a different name than requested.
func checkName(name string) []fieldError {
	var faults []fieldError
	refuse := func(code, detail string) { faults = append(faults, fieldError{"/name", code, detail}) }
	if name == "" {
		refuse(fieldRequired, "a name is required")
		return faults
	}
	if utf8.RuneCountInString(name) > maxNameLength {
		refuse(fieldTooLong, fmt.Sprintf("a name has at most %d characters", maxNameLength))
	}
	if strings.TrimSpace(name) != name {
		refuse(fieldWhitespace, "a name does not start or end with white space")
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		refuse(fieldControl, "a name has no control characters")
	}
	return faults
}

// readExpiry reads null (never) or a strict RFC 3339 time, rounded down to the second. Under
// [Policy.DateOnly] it also reads a plain date, rounded up to the day.
func readExpiry(raw json.RawMessage, p Policy) (time.Time, bool) {
	var text *string
	if err := json.Unmarshal(raw, &text); err != nil {
		return time.Time{}, false
	}
	if text == nil {
		return time.Time{}, true
	}
	if p.DateOnly {
		if day, err := time.Parse(time.DateOnly, *text); err == nil {
			return day, writable(day)
		}
	}
	t, err := time.Parse(time.RFC3339, *text)
	// Go's parser accepts a comma and a one-digit hour, which RFC 3339 does not.
	if err != nil || strings.Contains(*text, ",") || (*text)[len("2006-01-02T15")] != ':' {
		return time.Time{}, false
	}
	t = wholeSecond(t)
	if p.DateOnly {
		t = nextMidnight(t)
	}
	return t, writable(t) // the time zone may have moved the year out of range
}

// writable reports whether RFC 3339 can represent t in UTC.
func writable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}

func nextMidnight(t time.Time) time.Time {
	day := t.Truncate(24 * time.Hour)
	if day.Before(t) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// checkExpiry applies the contract and the policy to an expiry requested at now. issuer is
// nil for a token created on the page.
func checkExpiry(expiresAt, now time.Time, issuer *Token, p Policy) []fieldError {
	var faults []fieldError
	refuse := func(code, detail string) { faults = append(faults, fieldError{"/expires_at", code, detail}) }
	never := expiresAt.IsZero()
	// Clients compute lifetimes from the Date header, which has whole seconds.
	lifetime := expiresAt.Sub(wholeSecond(now))
	if never && p.RequireExpiry {
		refuse(fieldRequired, "tokens must expire")
	}
	if !never && !expiresAt.After(now) {
		refuse(fieldInPast, "the expiry is not in the future")
	} else if !never && lifetime < p.MinLifetime {
		refuse(fieldBelowMin, "tokens live at least "+p.MinLifetime.String())
	}
	if p.MaxLifetime > 0 && (never || lifetime > p.longest()) {
		refuse(fieldExceedsMax, "tokens live at most "+p.MaxLifetime.String())
	}
	if issuer != nil && !p.OutliveIssuer && !issuer.ExpiresAt.IsZero() && (never || expiresAt.After(issuer.ExpiresAt)) {
		refuse(fieldIssuer, "a token cannot outlive the one that makes it")
	}
	return faults
}

// longest returns the longest lifetime accepted. Under DateOnly it allows an extra day, so
// that rounding up does not reject the maximum lifetime.
func (p Policy) longest() time.Duration {
	if p.DateOnly {
		return p.MaxLifetime + 24*time.Hour
	}
	return p.MaxLifetime
}
