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

// addFailure puts an error of the protocol into diagnostics: summary, then code,
// detail and cause. The protocol's texts hold no secret.
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

// addNotes shows what a run has to tell as warnings.
func addNotes(diags *diag.Diagnostics, notes []rotation.Message) {
	for _, note := range notes {
		diags.AddWarning(note.Summary, note.Code+": "+note.Detail)
	}
}

// addPolicyError puts a wrong policy at the attribute that is wrong.
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

// first turns a value with diagnostics into a value with an error.
func first[T any](value T, diags diag.Diagnostics) (T, error) {
	if !diags.HasError() {
		return value, nil
	}
	d := diags.Errors()[0]
	return value, errors.New(d.Summary() + ": " + d.Detail())
}
