package main_test

import (
	"debug/elf"
	"debug/gosym"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// linuxProgram builds a program as for a release, and returns its file and its size in bytes.
func linuxProgram(t *testing.T, pkg string) (file string, size int64) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", file, pkg) //nolint:gosec // fixed arguments
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, info.Size()
}

// Shipped programs stay small, because a runner without a cache downloads the action's program
// for each job.
func TestSizesOfWhatShips(t *testing.T) {
	t.Parallel()
	for pkg, most := range map[string]int64{".": 27, "./action": 12} {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			file, size := linuxProgram(t, pkg)
			megabytes := float64(size) / 1e6
			t.Logf("%s is %.1f MB of at most %d", pkg, megabytes, most)
			if size > most*1e6 {
				t.Errorf("%s is %.1f MB, want at most %d", pkg, megabytes, most)
			}
			if pkg == "./action" {
				compareShares(t, shares(t, file, megabytes))
				startsLight(t, file)
			}
		})
	}
}

// startsLight checks that no package of this repository does significant work before main, such
// as compiling a pattern with a large repetition, which would delay every step of a job. It
// measures allocations, because they are the same on every machine.
func startsLight(t *testing.T, file string) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Log("NOT TESTED: what the program does before main, this machine cannot run it")
		return
	}
	cmd := exec.CommandContext(t.Context(), file, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	began := regexp.MustCompile(`(?m)^init (\S+) .* ([0-9]+) bytes,`).FindAllStringSubmatch(string(said), -1)
	if len(began) == 0 {
		t.Fatalf("nothing is traced:\n%s", said)
	}
	for _, pkg := range began {
		if bytes, err := strconv.Atoi(pkg[2]); strings.HasPrefix(pkg[1], "github.com/paistrike/") && (err != nil || bytes > 100_000) {
			t.Errorf("%s allocates %s bytes before main", pkg[1], pkg[2])
		}
	}
}

// purpose returns the purpose of a package, in the words of ARCHITECTURE.md.
func purpose(pkg string) string {
	switch {
	case strings.HasPrefix(pkg, "github.com/paistrike/"), pkg == "main":
		return "the product"
	case strings.HasPrefix(pkg, "github.com/aws/"):
		return "AWS"
	case strings.HasPrefix(pkg, "crypto"), strings.HasPrefix(pkg, "vendor/golang.org/x/crypto"), pkg == "math/big", pkg == "encoding/asn1":
		return "TLS"
	case pkg == "net", strings.HasPrefix(pkg, "net/"), strings.HasPrefix(pkg, "vendor/golang.org/x/"), pkg == "internal/poll", strings.HasPrefix(pkg, "mime"), strings.HasPrefix(pkg, "compress/"):
		return "HTTP"
	case strings.Contains(pkg, "."):
		return "other modules"
	}
	return "Go itself"
}

// shares divides a program's size among its purposes, in megabytes, in proportion to the code
// size of their functions.
func shares(t *testing.T, file string, megabytes float64) map[string]float64 {
	t.Helper()
	program, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	lines, err := program.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(lines, program.Section(".text").Addr))
	if err != nil {
		t.Fatal(err)
	}
	code, all := map[string]float64{}, 0.0
	for _, function := range table.Funcs {
		slash := strings.LastIndexByte(function.Name, '/') + 1
		name, _, _ := strings.Cut(function.Name[slash:], ".")
		length := float64(function.End - function.Entry)
		code[purpose(function.Name[:slash]+name)] += length
		all += length
	}
	for name := range code {
		code[name] *= megabytes / all
	}
	return code
}

// compareShares compares the table in ARCHITECTURE.md with the linked program: each purpose takes
// at most the stated size, and less than one megabyte below it.
func compareShares(t *testing.T, linked map[string]float64) {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \| at most ([0-9.]+) MB \|`).FindAllStringSubmatch(string(text), -1) {
		most, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		told[row[1]] = true
		t.Logf("%s: %.1f MB of at most %.1f", row[1], linked[row[1]], most)
		if got := linked[row[1]]; got > most || got < most-1 {
			t.Errorf("ARCHITECTURE.md says at most %.1f MB for %s, and it is %.1f", most, row[1], got)
		}
	}
	for name, megabytes := range linked {
		if !told[name] {
			t.Errorf("ARCHITECTURE.md does not say what %.1f MB of the action are for: %s", megabytes, name)
		}
	}
}
