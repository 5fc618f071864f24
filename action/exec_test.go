package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// useToken is a command for exec: `use-token VARIABLE CODE` prints PAIStrike's answer to the
// token in the variable and exits with the code.
func useToken() {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, os.Getenv("PAISTRIKE_ENDPOINT")+"/api/v1/api-tokens/self", nil)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv(os.Args[1]))
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		panic(err)
	}
	_ = resp.Body.Close()
	_, _ = os.Stdout.WriteString("PAIStrike answers " + strconv.Itoa(resp.StatusCode) + "; broker " + strconv.Quote(os.Getenv("PAISTRIKE_VAULT_SECRET_ID")) + "\n")
	if len(os.Args) > 3 {
		lookAround(os.Getenv(os.Args[1]))
	}
	code, _ := strconv.Atoi(os.Args[2])
	os.Exit(code) //nolint:forbidigo // the main of a program
}

// lookAround prints where the system exposes neither the token nor the Vault token of exec,
// its parent process: in this process's command line, and in what the system exposes of exec.
// Unreadable files expose nothing; root can read all of them.
func lookAround(token string) {
	var hidden []string
	for _, place := range []struct{ name, file string }{
		{"cmdline", "/proc/self/cmdline"},
		{"cmdline of exec", fmt.Sprintf("/proc/%d/cmdline", os.Getppid())},
		{"environ of exec", fmt.Sprintf("/proc/%d/environ", os.Getppid())},
	} {
		text, err := os.ReadFile(place.file)
		if err != nil && !errors.Is(err, fs.ErrPermission) || err == nil && len(text) == 0 {
			panic(fmt.Sprint(place.file, err))
		}
		if !strings.Contains(string(text), token) && !strings.Contains(string(text), readerToken) {
			hidden = append(hidden, place.name)
		}
	}
	_, _ = os.Stdout.WriteString("the tokens are hidden from: " + strings.Join(hidden, ", ") + "\n")
	if os.Geteuid() != 0 {
		_, err := os.Open(fmt.Sprintf("/proc/%d/mem", os.Getppid()))
		_, _ = os.Stdout.WriteString(fmt.Sprintf("the memory of exec is closed: %v\n", errors.Is(err, fs.ErrPermission)))
	}
}

// cmdOutside continues outside GitHub, on the user's own machine. `outside group` starts each
// step in its own process group; `outside keeper` allows rotation; `outside home` has the
// file of `vault login` instead of a variable; `outside direct` has the management token and
// no Vault.
func cmdOutside(ts *testscript.TestScript, _ bool, args []string) {
	j := jobOf(ts)
	j.group = slices.Contains(args, "group")
	token := readerToken
	if slices.Contains(args, "keeper") {
		token = keeperToken
	}
	if j.outside {
		return
	}
	j.outside, j.asked = true, nil // no file saves names here
	env := map[string]string{"PATH": ts.Getenv("PATH"), "VAULT_TOKEN": token, "VAULT_ADDR": j.vault.url}
	for _, name := range []string{"ENDPOINT", "VAULT_PATH", "MAX_ATTEMPTS"} {
		env["PAISTRIKE_"+name] = j.env["INPUT_"+name]
	}
	if token == keeperToken {
		delete(env, "PAISTRIKE_VAULT_PATH")
	}
	switch {
	case slices.Contains(args, "direct"):
		delete(env, "VAULT_ADDR")
		delete(env, "VAULT_TOKEN")
		env["PAISTRIKE_API_TOKEN"] = j.broker
	case slices.Contains(args, "home"):
		delete(env, "VAULT_TOKEN")
		env["HOME"] = filepath.Join(j.dir, "home")
	}
	j.env = env
}

// cmdCode checks the exit code of the last step: `code 143`.
func cmdCode(ts *testscript.TestScript, _ bool, args []string) {
	if got := strconv.Itoa(jobOf(ts).code); got != args[0] {
		ts.Fatalf("the step ended with %s, want %s", got, args[0])
	}
}
