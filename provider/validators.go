package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// check applies a rule to a known value and adds its error at the attribute.
func check(req validator.StringRequest, resp *validator.StringResponse, rule func(string) error) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := rule(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(), err.Error()+".")
	}
}

// described provides both descriptions that a validator needs.
type described string

func (d described) Description(context.Context) string         { return string(d) }
func (d described) MarkdownDescription(context.Context) string { return string(d) }

type durationValidator struct{ described }

func (durationValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error { _, err := schedule.ParseDuration(text); return err })
}

type lifetimeValidator struct{ described }

func (lifetimeValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error {
		if text == schedule.Never {
			return nil
		}
		_, err := schedule.ParseDuration(text)
		return err
	})
}

type instantValidator struct{ described }

func (instantValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error { _, err := parseInstant(text); return err })
}

type cronValidator struct{ described }

func (cronValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error { _, err := schedule.ParseCron(text); return err })
}

type timezoneValidator struct{ described }

func (timezoneValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, func(text string) error { _, err := schedule.Cron{}.In(text); return err })
}

type nameValidator struct{ described }

func (nameValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, checkName)
}

type pathValidator struct{ described }

func (pathValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, checkPath)
}

type keyValidator struct{ described }

func (keyValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, checkKey)
}

// parseInstant parses RFC 3339, or a date as its first instant in UTC.
func parseInstant(text string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time such as \"2027-01-31T00:00:00Z\" or \"2027-01-31\"", text)
	}
	if t.Nanosecond() != 0 {
		return time.Time{}, fmt.Errorf("%q is not a whole second", text)
	}
	return t.UTC(), nil
}

// checkName applies PAIStrike's rule for names, and leaves room for the suffix of a
// rotation.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case utf8.RuneCountInString(name) > rotation.MaxLabelLength:
		return fmt.Errorf("the name has %d characters, but the maximum is %d: PAIStrike allows %d, and the suffix for rotation needs the rest", utf8.RuneCountInString(name), rotation.MaxLabelLength, rotation.MaxNameLength)
	case strings.TrimSpace(name) != name:
		return errors.New("the name begins or ends with white space")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("the name contains a control character")
	}
	return nil
}

func checkPath(text string) error {
	switch {
	case text == "":
		return errors.New("it is empty")
	case strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/"):
		return fmt.Errorf("%q begins or ends with a slash", text)
	case slices.Contains(strings.Split(text, "/"), ""):
		return fmt.Errorf("%q has an empty segment", text)
	case slices.ContainsFunc(strings.Split(text, "/"), func(s string) bool { return s == "." || s == ".." }):
		return fmt.Errorf("%q has a segment that is \".\" or \"..\"", text)
	case strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune("?#%*+", r) }):
		return fmt.Errorf("%q contains a character that is not allowed in a Vault path", text)
	}
	return nil
}

// reservedKeys are the data fields next to the secret.
var reservedKeys = []string{"token_id", "token_name", "created_at", "expires_at", "paistrike"}

func checkKey(key string) error {
	switch {
	case key == "" || strings.TrimSpace(key) != key || strings.ContainsFunc(key, unicode.IsControl):
		return fmt.Errorf("%q is not a field name", key)
	case slices.Contains(reservedKeys, key):
		return fmt.Errorf("%q is reserved for another field of the entry", key)
	}
	return nil
}
