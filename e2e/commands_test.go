package e2e_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notRun lists documented commands that this test does not run as written, with the reason.
// All others are run.
var notRun = map[string]string{
	"make demo":  "CI runs it by itself",
	"make build": "make test begins with it",
	"make test":  "it runs this test",
	"make fuzz":  "minutes; a workflow runs it every night",
	"make bench": "minutes; TestPromisesAreKept runs a part of it",
	".ci/run":    "it runs this test",

	"make help":          "a list of what follows",
	"make lint generate": "CI runs both by themselves",

	"tools/build kv vault act tofu":                   "CI runs it before this test",
	"terraform query -generate-config-out=adopted.tf": "TestPublishedQuery runs it, on CLIs that have it",
}

// skippedPrefixes lists prefixes of such commands.
var skippedPrefixes = map[string]string{
	"go test ":                   "this test is one of them",
	"TF_CLIS=/path/":             "the paths are the reader's own",
	"vault write ":               "the engine of this test has no logins; TestPublishedPoliciesAreEnough and the login tests make such roles on the real server",
	"vault auth enable":          "the engine of this test has no logins; examples/ci logs in to a real server",
	"v=1.2.3 ":                   "a release is downloaded; make release-check makes and installs one",
	"gh ":                        "a release is downloaded; make release-check makes and installs one",
	"sha256sum ":                 "a release is downloaded; make release-check makes and installs one",
	"tar -xzf ":                  "a release is downloaded; make release-check makes and installs one",
	"paistrike-action doctor --": "the vendor's document and the settings are the reader's own; internal/doctor examines nine shapes",
	"aws ":                       "the AWS CLI is the reader's own; the same page makes the same requests with curl, which this test runs",
	"17 3 * * * ":                "a line of a crontab; TestCronExample of e2e/action runs it",
}

// page is a documentation file that contains commands.
type page struct {
	file     string
	commands []string
	config   string // first Terraform configuration on the page
}

// pages returns all documentation files that contain commands.
func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	for name, text := range documentation(t) {
		if p := readPage(name, text); len(p.commands) > 0 {
			all = append(all, p)
		}
	}
	return all
}

var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// readPage extracts the commands of a page: one per line of a shell block, without trailing
// comments.
func readPage(name, text string) page {
	p := page{file: name}
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		switch block[1] {
		case "sh", "shell", "bash", "console", "cron":
			for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", "")) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " # ")
				if line = strings.TrimSpace(line); line != "" {
					p.commands = append(p.commands, line)
				}
			}
		case "terraform", "hcl":
			if p.config == "" && strings.Contains(block[2], "required_providers") {
				p.config = block[2]
			}
		}
	}
	return p
}

// reasonNotToRun returns why a command is not run, or "" if it is.
func reasonNotToRun(command string) string {
	if reason := notRun[command]; reason != "" {
		return reason
	}
	for prefix, reason := range skippedPrefixes {
		if strings.HasPrefix(command, prefix) {
			return reason
		}
	}
	return ""
}

// Every documented command works on a machine that has the page's prerequisites: the
// addresses, a management token, and a Vault.
func TestCommandsOfTheDocumentation(t *testing.T) {
	t.Parallel()
	all := pages(t)
	if len(all) < 5 {
		t.Fatalf("only %d pages with commands were found", len(all))
	}
	program := firstCLI(t)
	for _, p := range all {
		t.Run(p.file, func(t *testing.T) {
			t.Parallel()
			script := "set -e\n"
			run := 0
			for _, command := range p.commands {
				if reason := reasonNotToRun(command); reason != "" {
					t.Logf("not run: %s (%s)", command, reason)
					continue
				}
				run++
				if command == "make sandbox" {
					continue // it is already running, in the other terminal
				}
				script += fmt.Sprintf("echo %s\n%s\n", quoted("$ "+command), command)
			}
			if run == 0 {
				return
			}
			r := newReader(t, program, p)
			r.run(t, script)
			if strings.HasPrefix(p.file, "docs/guides/getting-started") {
				r.gotThrough(t)
			}
		})
	}
}

// The tables above list no command that no page contains.
func TestNoCommandIsExcusedInVain(t *testing.T) {
	t.Parallel()
	var commands []string
	for _, p := range pages(t) {
		commands = append(commands, p.commands...)
	}
	for prefix := range skippedPrefixes {
		if !slices.ContainsFunc(commands, func(command string) bool { return strings.HasPrefix(command, prefix) }) {
			t.Errorf("there is no longer a command on a page that begins with %q", prefix)
		}
	}
	for command := range notRun {
		if !slices.Contains(commands, command) {
			t.Errorf("there is no longer a page with the command %q", command)
		}
	}
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
