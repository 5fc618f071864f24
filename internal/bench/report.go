package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// calls counts requests by purpose, such as "Vault GET metadata".
type calls map[string]int

// shared lists the requests that serve many tokens.
var shared = []string{
	"PAIStrike GET list", "Vault GET mount", "Vault GET mount settings", "Vault GET sys/health", "Vault GET auth/token/lookup-self",
}

func (c calls) countPAIStrike(method, path string) {
	name := strings.TrimPrefix(path, "/api/v1/api-tokens")
	switch {
	case name == "" && method == "GET":
		name = "list"
	case name == "":
		name = "create"
	case name == "/self":
		name = "self"
	default:
		name = "one token"
	}
	c["PAIStrike "+method+" "+name]++
}

func (c calls) countVault(method, path string) {
	name := strings.TrimPrefix(path, "/v1/")
	switch {
	case name == "secret/config":
		name = "mount settings"
	case strings.HasPrefix(name, "sys/internal/ui/mounts/"):
		name = "mount"
	case strings.HasPrefix(name, "secret/"):
		name = strings.Split(name, "/")[1]
	}
	c["Vault "+method+" "+name]++
}

func (c calls) sum(of func(name string) bool) int {
	total := 0
	for name, count := range c {
		if of(name) {
			total += count
		}
	}
	return total
}

func (c calls) paistrike() int {
	return c.sum(isPAIStrike)
}

func isPAIStrike(name string) bool { return strings.HasPrefix(name, "PAIStrike ") }

func isShared(name string) bool { return slices.Contains(shared, name) }

func (c calls) vault() int {
	return c.sum(func(name string) bool { return strings.HasPrefix(name, "Vault ") })
}

func (c calls) perToken() int {
	return c.sum(func(name string) bool { return !isShared(name) })
}

// Units of rows with promised limits: their values are the same on every machine.
const unitRequests, unitBytes = "requests", "bytes"

func (r row) promised() bool { return r.Met != nil && (r.Unit == unitRequests || r.Unit == unitBytes) }

// row is one number. Target and Met are nil if there is no limit.
type row struct {
	Name   string   `json:"name"`
	Value  float64  `json:"value"`
	Unit   string   `json:"unit"`
	Target *float64 `json:"target"`
	Met    *bool    `json:"met"`
}

// report collects rows, and the requests behind each step's numbers.
type report struct {
	rows   []row
	notes  []string
	growth []sample // times of walks
}

func (r *report) add(name string, value float64, unit string) {
	r.rows = append(r.rows, row{Name: name, Value: value, Unit: unit})
}

// requests adds a number of requests with a promised limit; 0 = none.
func (r *report) requests(name string, value float64, most int) {
	r.aim(name, value, unitRequests, float64(most))
}

// aim adds a number with a limit; 0 = none.
func (r *report) aim(name string, value float64, unit string, most float64) {
	r.add(name, value, unit)
	if most > 0 {
		met := value <= most
		last := &r.rows[len(r.rows)-1]
		last.Target, last.Met = &most, &met
	}
}

// usage adds the resource usage of one command.
func (r *report) usage(name string, u usage) {
	r.add(name+": wall time", u.wall.Seconds(), "s")
	r.add(name+": CPU of CLI and provider", u.cpu.Seconds(), "s")
	if u.serversCPU > 0 {
		r.add(name+": CPU of PAIStrike and Vault", u.serversCPU.Seconds(), "s")
	}
	if u.providerMemory > 0 {
		r.add(name+": CPU of the provider", u.providerCPU.Seconds(), "s")
		r.add(name+": peak memory of the CLI", float64(u.cliMemory)/(1<<20), "MiB")
		r.add(name+": peak memory of the provider", float64(u.providerMemory)/(1<<20), "MiB")
	}
}

func (r *report) explain(step string, c calls) {
	lines := []string{step + ":"}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		lines = append(lines, fmt.Sprintf("  %6d  %s", c[name], name))
	}
	r.notes = append(r.notes, strings.Join(lines, "\n"))
}

// missed reports whether more requests were made, or more bytes written, than promised. A
// missed aim for a time is only shown, because it also depends on the machine's load.
func (r *report) missed() bool {
	return slices.ContainsFunc(r.rows, func(row row) bool { return row.promised() && !*row.Met })
}

func (r *report) print(out io.Writer) error {
	aligned := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	var table io.Writer = aligned
	fmt.Fprintln(table, "\nwhat\tvalue\tunit\ttarget\tmet")
	for _, row := range r.rows {
		target, met := "", ""
		if row.Target != nil {
			target, met = fmt.Sprintf("<= %g", *row.Target), "yes"
			if !*row.Met {
				met = "NO"
			}
		}
		fmt.Fprintf(table, "%s\t%.4g\t%s\t%s\t%s\n", row.Name, row.Value, row.Unit, target, met)
	}
	if err := aligned.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nThe requests, by what they are for:")
	for _, note := range r.notes {
		fmt.Fprintln(out, note)
	}
	return nil
}

func (r *report) write(file string) error {
	raw, err := json.MarshalIndent(r.rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o600) //nolint:gosec // the user names the file
}
