package doctor

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/paistrike"
)

// Row is one line of the table.
type Row struct {
	What    string // check
	Verdict string // ok, not reported, differs or failed
	From    string // field with the value; "" if none
	Mend    string // setting that fixes the failure, or the error; "" if ok
}

// Verdicts of a [Row].
const (
	ok      = "ok"
	notTold = "not reported" // optional and missing
	differs = "differs"
	failed  = "failed"
)

// Report is the result of an examination.
type Report []Row

// OK reports whether no row failed. A fact that a service does not report is not a failure.
func (r Report) OK() bool {
	for _, row := range r {
		if row.Verdict == failed {
			return false
		}
	}
	return true
}

// String returns the table as plain text.
func (r Report) String() string {
	width := [3]int{}
	for _, row := range r {
		for i, cell := range []string{row.What, row.Verdict, row.From} {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for _, row := range r {
		line := fmt.Sprintf("%-*s  %-*s  %-*s  %s", width[0], row.What, width[1], row.Verdict, width[2], row.From, row.Mend)
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// Judge turns observations into a report. It depends only on the observations.
func Judge(o Observed) Report {
	if o.Settings != nil {
		return Report{{"settings", failed, "", o.Settings.Error()}}
	}
	if o.List != nil {
		return Report{{"list", failed, "", listMend(o.List)}}
	}
	report := Report{{"list", ok, "", fmt.Sprintf("%d tokens", o.Listed)}}
	if o.Mint != nil {
		report = append(report, Row{"create", failed, o.Created["secret"], mintMend(o.Mint)})
		return append(report, leftOver(o)...)
	}
	report = append(report, Row{"create", ok, o.Created["secret"], ""},
		step("verify", o.Verify, "api_routes.self, or list if there is no such route; auth"),
		found(o))
	if o.Again == nil && o.ByID {
		report = append(report, step("read by id", o.Read, "api_routes.item, or api_routes.list_only = true"))
	}
	report = append(report, facts(o)...)
	report = append(report, self(o), step("revoke", o.Revoke, "api_routes.revoke_method and revoke_path; api_routes.list.drops_revoked"), refused(o))
	return append(report, leftOver(o)...)
}

func step(what string, err error, setting string) Row {
	if err != nil {
		return Row{what, failed, "", setting + " (" + err.Error() + ")"}
	}
	return Row{what, ok, "", ""}
}

// listMend returns the setting to change if the list cannot be read.
func listMend(err error) string {
	setting := "endpoint"
	_, incomplete := errors.AsType[*paistrike.IncompleteListError](err)
	_, unusable := errors.AsType[*paistrike.AnswerError](err)
	switch status := paistrike.StatusOf(err); {
	case incomplete:
		setting = "api_routes.list: page, size, total, next"
	case unusable:
		setting = "api_prefix, api_routes.collection, api_routes.list.items, api_routes.answer.id"
	case paistrike.IsUnauthorized(err), status == http.StatusForbidden:
		setting = "api_token, auth"
	case status == http.StatusNotFound:
		setting = "api_prefix, api_routes.collection"
	case status >= 300 && status < 500:
		setting = "api_routes.list.page_size and size, headers, a fixed query in api_routes.collection"
	}
	return setting + " (" + err.Error() + ")"
}

// mintMend returns the setting to change if a create returns no token.
func mintMend(err error) string {
	setting := "api_routes.create_path"
	_, unusable := errors.AsType[*paistrike.AnswerError](err)
	switch status := paistrike.StatusOf(err); {
	case unusable:
		setting = "api_routes.answer: id, name, secret"
	case status == http.StatusForbidden, paistrike.IsUnauthorized(err):
		setting = "no setting fixes this: the management token may not create tokens"
	case status == http.StatusUnsupportedMediaType:
		setting = "api_routes.content_type"
	case status == http.StatusBadRequest, status == http.StatusUnprocessableEntity:
		setting = "api_routes.create_body, expires_format, content_type"
	}
	return setting + " (" + err.Error() + ")"
}

// found reports whether the list contains the new token.
func found(o Observed) Row {
	switch {
	case o.Again != nil:
		return Row{"find in the list", failed, "", listMend(o.Again)}
	case !o.ByID:
		return Row{"find in the list", failed, o.Rows["id"], "api_routes.answer.id; or the list lags behind: try again"}
	case !o.ByName:
		return Row{"find in the list", failed, o.Rows["name"], "api_routes.answer.name: tokens are found by the name that was sent"}
	}
	return Row{"find in the list", ok, o.Rows["id"] + ", " + o.Rows["name"], ""}
}

// facts reports which facts the service returns about a token.
func facts(o Observed) (rows []Row) {
	token := o.Token
	if o.Read != nil {
		token = o.Minted
	}
	for _, fact := range []struct {
		what, key string
		fact      paistrike.Facts
		without   string
	}{
		{"created", "created_at", 0, ""},
		{"last use", "last_used_at", paistrike.LastUsed, "no finding uses it"},
		{"expiry", "expires_at", paistrike.Expiry, "the requested time counts"},
		{"status", "status", paistrike.State, "a listed token counts as active"},
	} {
		row := Row{What: fact.what, Verdict: ok, From: o.Rows[fact.key]}
		if row.From == "" || token.Untold.Has(fact.fact) && fact.fact != 0 {
			row.Verdict = notTold
			row.Mend = strings.TrimSuffix("api_routes.answer."+fact.key+" if it is reported; otherwise "+fact.without, "; otherwise ")
		}
		if fact.fact == paistrike.Expiry && row.Verdict == ok {
			row.Verdict, row.Mend = expiry(token.ExpiresAt, o.Asked)
		}
		rows = append(rows, row)
	}
	return rows
}

func expiry(got, asked time.Time) (verdict, mend string) {
	switch late := got.Sub(asked); {
	case got.IsZero():
		return failed, "api_routes.create_body, expires_format: the token was created without the requested expiry"
	case late < -time.Minute || late > time.Minute:
		return differs, fmt.Sprintf("requested %s, got %s: expires_format, or the service stores days", asked.Format(time.RFC3339), got.Format(time.RFC3339))
	}
	return ok, ""
}

// self reports whether a token can query itself.
func self(o Observed) Row {
	switch {
	case o.Self != nil:
		return Row{"own token", failed, "", `api_routes.self, "-" if there is no such route (` + o.Self.Error() + ")"}
	case o.SelfID == "":
		return Row{"own token", notTold, "", "the token in use is found by its last use"}
	case o.SelfID != o.Minted.ID:
		return Row{"own token", failed, "", `api_routes.self: it returns a different id than the token's; "-" if there is no such route`}
	}
	return Row{"own token", ok, "", ""}
}

// refused reports whether the revoked token is rejected.
func refused(o Observed) Row {
	status := paistrike.StatusOf(o.After)
	switch {
	case paistrike.IsUnauthorized(o.After):
		return Row{"refused after that", ok, fmt.Sprint("status ", status), ""}
	case o.After == nil:
		return Row{"refused after that", failed, "", "the token still works"}
	case status >= 400 && status < 500:
		return Row{"refused after that", failed, "", fmt.Sprintf("api_routes.unauthorized_status = %d", status)}
	}
	return Row{"refused after that", failed, "", o.After.Error()}
}

// leftOver names the token that may still work.
func leftOver(o Observed) Report {
	if !o.LeftOver {
		return nil
	}
	which := "the token named " + o.Name
	return Report{{"left behind", failed, "", "revoke " + which + "; its requested expiry is " + o.Asked.Format(time.RFC3339)}}
}
