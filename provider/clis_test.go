package provider_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-version"
)

const (
	// chosenCLI is an environment variable: the CLI that this run of the program uses.
	chosenCLI = "PAISTRIKE_TEST_CLI"
	// laterCLI is an environment variable: which of the later CLIs that is. "0/2" is the
	// first of two.
	laterCLI = "PAISTRIKE_TEST_LATER_CLI"
	// storyLog is an environment variable: the file in which the runs record the stories
	// of this package.
	storyLog = "PAISTRIKE_TEST_STORIES"
)

// The entries of storyLog about a story.
const (
	told      = "told"
	elsewhere = "elsewhere" // left to another CLI
)

// firstCLI is true in one run of this program, for tests that do not depend on the CLI.
var firstCLI = os.Getenv(laterCLI) == ""

// versioned contains the names of the tests that need a version of the CLI.
var versioned sync.Map

// runEach runs this program again for each CLI, and reports whether all runs passed.
func runEach(programs []string) bool {
	var args []string
	for _, arg := range os.Args[1:] {
		if !strings.HasPrefix(arg, "-test.testlogfile=") { // of one run only
			args = append(args, arg)
		}
	}
	dir, err := os.MkdirTemp("", "paistrike-stories-") //nolint:usetesting // there is no test yet
	if err != nil {
		fail(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	log := filepath.Join(dir, "stories")
	well := true
	for i, program := range programs {
		cmd := exec.Command(os.Args[0], args...) //nolint:noctx // go test bounds it
		cmd.Env = append(os.Environ(), chosenCLI+"="+program, storyLog+"="+log)
		if i > 0 {
			cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d/%d", laterCLI, i-1, len(programs)-1))
		}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Fprintf(os.Stderr, "provider: with %s: %v\n", program, err)
			well = false
		}
	}
	stories, _ := os.ReadFile(log) //nolint:gosec // of this run; without stories there is none
	for _, story := range untold(string(stories)) {
		fmt.Fprintf(os.Stderr, "provider: each CLI left %s to another one\n", story)
		well = false
	}
	return well
}

// untold returns the stories that a CLI left to another one and that none ran, not even in
// part.
func untold(stories string) []string {
	left, parts := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(stories) {
		switch what, story, _ := strings.Cut(strings.TrimSpace(line), " "); what {
		case elsewhere:
			left[story] = true
		case told:
			for ; story != ""; story = parent(story) {
				parts[story] = true
			}
		}
	}
	maps.DeleteFunc(left, func(story string, _ bool) bool { return parts[story] })
	return slices.Sorted(maps.Keys(left))
}

// parent returns the name of the test that a subtest belongs to, or "".
func parent(test string) string { return test[:max(strings.LastIndexByte(test, '/'), 0)] }

// record appends to storyLog what this run does with a story. Each line is a single write,
// so that parallel tests do not mix their lines.
func record(t *testing.T, what string) {
	t.Helper()
	name := os.Getenv(storyLog)
	if name == "" {
		return
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // a file of this run
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(file, "%s %s\n", what, t.Name())
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// leave skips a story that another CLI runs.
func leave(t *testing.T, why string) {
	t.Helper()
	record(t, elsewhere)
	t.Skip(why)
}

// onOneCLI marks a story about the provider and its servers, which does not depend on the
// CLI. The first of several CLIs runs it. If it needs a version, each CLI with that
// version runs it, because the first may be too old.
func onOneCLI(t *testing.T) {
	t.Helper()
	if !firstCLI && !isVersioned(t) {
		leave(t, "told on the first CLI: it is about the provider and its servers")
	}
	record(t, told)
}

// dealt reports whether this run runs a story. The first of several CLIs runs every story.
// Each later one runs those that need a version, and its share of the others, so that
// three CLIs take the time of two. The matrix of the ci workflow runs every story on every
// CLI.
func dealt(t *testing.T) bool {
	t.Helper()
	var own, of uint32
	if _, err := fmt.Sscanf(os.Getenv(laterCLI), "%d/%d", &own, &of); err != nil {
		return true
	}
	return isVersioned(t) || shareOf(t.Name(), of) == own
}

// shareOf returns the number of the share that contains a story.
func shareOf(story string, shares uint32) uint32 {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(story))
	return hash.Sum32() % shares
}

// needs skips a test if the CLI is too old for it. "" means that the product lacks the
// feature. The two products have separate version numbers. Call needs before anything that
// leaves the story to another CLI.
func needs(t *testing.T, terraform, tofu string) {
	t.Helper()
	least := terraform
	if cli.product == "OpenTofu" {
		least = tofu
	}
	if cli.path == "" {
		return // newStage reports that
	}
	if least == "" || cli.version.Core().LessThan(version.Must(version.NewVersion(least))) {
		t.Skipf("%s %s does not have this", cli.product, cli.version)
	}
	versioned.Store(t.Name(), true)
}

// isVersioned reports whether a test, or one that it is a subtest of, needs a version.
func isVersioned(t *testing.T) bool {
	t.Helper()
	for name := t.Name(); name != ""; name = parent(name) {
		if _, ok := versioned.Load(name); ok {
			return true
		}
	}
	return false
}

func TestStoriesAreShared(t *testing.T) {
	t.Parallel()
	const stories = 200
	var first int
	for i := range stories {
		name := fmt.Sprintf("TestStory%d", i)
		if shareOf(name, 1) != 0 {
			t.Errorf("a single later CLI leaves %s", name)
		}
		if shareOf(name, 2) == 0 {
			first++
		}
	}
	if first < stories/3 || first > 2*stories/3 {
		t.Errorf("the first of two later CLIs tells %d of %d stories", first, stories)
	}
}

func TestNoStoryIsLeftByAll(t *testing.T) {
	t.Parallel()
	got := untold("told A\nelsewhere A\nelsewhere B\nelsewhere B\nelsewhere C\ntold C/part\n")
	if !slices.Equal(got, []string{"B"}) {
		t.Errorf("untold are %q", got)
	}
}
