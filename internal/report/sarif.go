package report

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/inert"
)

// The part of SARIF 2.1.0 that an audit needs (OASIS, sarif-schema-2.1.0).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool              sarifTool     `json:"tool"`
		AutomationDetails sarifID       `json:"automationDetails"`
		Results           []sarifResult `json:"results"`
		ColumnKind        string        `json:"columnKind"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifID struct {
		ID string `json:"id"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID              string            `json:"ruleId"`
		RuleIndex           int               `json:"ruleIndex"`
		Level               string            `json:"level"`
		Message             sarifText         `json:"message"`
		Locations           []sarifLocation   `json:"locations"`
		PartialFingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// SARIF returns the findings of an audit as SARIF 2.1.0, for example for GitHub code
// scanning. The location of a finding is the entry in the store, or the token.
func SARIF(r fleet.AuditReport, mount, version string) any {
	run := sarifRun{
		Tool:              sarifTool{sarifDriver{Name: "paistrike-audit", Version: version, Rules: []sarifRule{}}},
		AutomationDetails: sarifID{"paistrike-audit/" + mount + "/"}, Results: []sarifResult{}, ColumnKind: "utf16CodeUnits",
	}
	index := map[fleet.Code]int{}
	for i, code := range fleet.Codes() {
		index[code] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(code), sarifText{strings.ReplaceAll(string(code), "_", " ")}})
	}
	for _, f := range r.Findings {
		digest := sha256.Sum256([]byte(string(f.Code) + "\x00" + f.Path + "\x00" + f.TokenID))
		run.Results = append(run.Results, sarifResult{
			RuleID: string(f.Code), RuleIndex: index[f.Code], Level: string(f.Severity), Message: sarifText{sarifPlain(whatIsSo(f) + " " + f.Fix)},
			Locations:           []sarifLocation{{sarifPhysical{sarifArtifact{placeOf(f, mount)}, sarifRegion{1}}}},
			PartialFingerprints: map[string]string{"paistrike/v1": hex.EncodeToString(digest[:16])},
		})
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

// sarifPlain escapes brackets, which would start a link (SARIF 2.1.0, section 3.11.6).
func sarifPlain(text string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(inert.Line(text, 1000))
}

// placeOf returns a relative URI of the entry, or of the token if it has no entry.
func placeOf(f fleet.Finding, mount string) string {
	place := mount + "/" + f.Path
	if f.Path == "" {
		place = "paistrike/tokens/" + f.TokenID
	}
	return (&url.URL{Path: inert.Short(place)}).EscapedPath()
}
