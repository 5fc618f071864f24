package provider

import (
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/schedule"
)

// addFailure adds an error of package rotation to the diagnostics: its summary, and then
// its code, detail and cause. Its texts contain no secret.
func addFailure(diags *diag.Diagnostics, act string, err error) {
	var failure *rotation.Error
	if of, ok := errors.AsType[*entry.Failure](err); ok && !errors.As(err, &failure) {
		failure = &rotation.Error{Message: rotation.Message{Code: of.Code, Summary: of.Summary, Detail: strings.TrimSpace(of.Facts + " " + of.Advice)}, Err: of.Err}
	}
	if failure == nil && !errors.As(err, &failure) {
		diags.AddError(act, err.Error())
		return
	}
	detail := failure.Detail
	if failure.Err != nil {
		detail += "\n\nCause: " + failure.Err.Error()
	}
	diags.AddError(failure.Summary, failure.Code+": "+detail)
}

// addNotes adds the messages of a run as warnings.
func addNotes(diags *diag.Diagnostics, notes []rotation.Message) {
	for _, note := range notes {
		diags.AddWarning(note.Summary, note.Code+": "+note.Detail)
	}
}

// addPolicyError adds an error for an invalid policy at the attribute in question.
func addPolicyError(diags *diag.Diagnostics, err error) {
	var wrong *schedule.PolicyError
	if !errors.As(err, &wrong) {
		diags.AddError("Invalid rotation", err.Error())
		return
	}
	diags.AddAttributeError(settingPath(wrong.Setting), "Invalid "+wrong.Setting, wrong.Problem+".")
}

func settingPath(setting string) path.Path {
	p := path.Empty()
	for name := range strings.SplitSeq(setting, ".") {
		p = p.AtName(name)
	}
	return p
}

// first converts diagnostics to an error.
func first[T any](value T, diags diag.Diagnostics) (T, error) {
	if !diags.HasError() {
		return value, nil
	}
	d := diags.Errors()[0]
	return value, errors.New(d.Summary() + ": " + d.Detail())
}
