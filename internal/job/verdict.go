package job

import (
	"fmt"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
)

// Values of the input fail_on.
const (
	failError   = "error"
	failWarning = "warning"
	failOverdue = "overdue"
)

// rotationVerdict applies fail_on to the report of a rotation.
func rotationVerdict(r fleet.Report, failOn string) error {
	var failed, late, compromised []string
	for _, e := range r.Entries.All() {
		if e.Compromised() {
			compromised = append(compromised, inert.Short(e.Path))
		}
		switch {
		case e.Outcome == fleet.Failed:
			failed = append(failed, failedEntry(e.Path, e.Problem))
		case e.Overdue:
			late = append(late, inert.Short(e.Path))
		}
	}
	switch {
	case len(failed) > 0:
		return entriesFailed(r.Failed, r.Total(), some(failed))
	case len(compromised) > 0:
		return stillCompromised(len(compromised), some(compromised))
	case failOn == failOverdue && len(late) > 0:
		return stillOverdue(len(late), some(late))
	}
	return nil
}

// some joins names and abbreviates a long list.
func some(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// auditVerdict applies fail_on to the report of an audit.
func auditVerdict(r fleet.AuditReport, failOn string) error {
	var failed []string
	for _, e := range r.Entries.All() {
		if e.Outcome == fleet.Failed {
			failed = append(failed, inert.Short(e.Path))
		}
	}
	switch {
	case r.Failed > 0:
		return entriesFailed(r.Failed, r.Entries.Len(), some(failed))
	case failOn == failError && r.Errors > 0, failOn == failWarning && r.Errors+r.Warnings > 0:
		return findingsFound(r.Errors, r.Warnings)
	}
	return nil
}

// abandonVerdict returns an error for failed entries, or if no entry belongs to the endpoint.
func abandonVerdict(r fleet.AbandonReport, where string) error {
	var failed []string
	for _, e := range r.Entries {
		if e.Outcome == fleet.Failed {
			failed = append(failed, failedEntry(e.Path, e.Problem))
		}
	}
	if len(failed) > 0 {
		return notClosed(r.Failed, len(r.Entries), some(failed))
	}
	if elsewhere, all := r.Elsewhere(); all {
		return nothingOfThatPAIStrike(where, r.Endpoint, elsewhere)
	}
	return nil
}

// failedEntry returns the path of a failed entry, with the error code if there is one.
func failedEntry(path string, problem *fleet.Problem) string {
	if problem != nil && problem.Code != "" {
		return inert.Short(path) + " (" + problem.Code + ")"
	}
	return inert.Short(path)
}
