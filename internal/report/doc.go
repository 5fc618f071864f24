// Package report writes what a run over a folder of Vault found and did: as a table for a
// log or a terminal, and as a page with a timeline for GitHub's job summary. All of it is a
// pure function of the reports of internal/fleet, and no text of others acts on what is around
// it.
package report
