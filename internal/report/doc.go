// Package report formats the result of a run over a folder: as a table for a log or a
// terminal, and as a page with a timeline for GitHub's job summary. All functions are pure
// functions of internal/fleet's reports. Untrusted text cannot affect the surrounding format.
package report
