package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

// firstDay is the initial time of the sandbox clock, so that the output is always the same.
var firstDay = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// world contains the servers and programs of the demonstration. All are on loopback and end with
// this program.
type world struct {
	dir       string // Terraform's working directory, removed at the end
	paistrike *sandbox.Server
	api       *httptest.Server
	store     store
	address   string // URL of the store
	process   *exec.Cmd
	input     io.Closer
	terraform terraform
}

// client is the HTTP client for the demonstration's own requests.
var client = &http.Client{Timeout: time.Minute}

func newWorld(ctx context.Context, in string) (*world, error) {
	w := &world{}
	var err error
	if w.store, err = storeOf(in); err != nil {
		return nil, err
	}
	if w.dir, err = os.MkdirTemp("", "paistrike-quickstart-"); err != nil {
		return nil, err
	}
	if w.paistrike, err = sandbox.New(sandbox.Options{Start: firstDay}); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.api = httptest.NewServer(w.paistrike)
	if err = w.startStore(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	_, management := w.paistrike.Mint("Terraform", time.Time{})
	env := append(w.store.exports(w.address), "PAISTRIKE_ENDPOINT="+w.api.URL, "PAISTRIKE_API_TOKEN="+management)
	if w.terraform, err = newTerraform(w.dir, w.store.configuration(configuration), env); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// startStore starts the store. It ends when its standard input does, so it never outlives this
// program.
func (w *world) startStore(ctx context.Context) error {
	binary, err := filepath.Abs(filepath.Join(".tools", w.store.program))
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return errors.New("the store is not built yet: run make demo in the repository's top folder")
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, "-listen", "127.0.0.1:0", "-clock-url", w.api.URL+"/_sandbox/clock", "-exit-on-stdin-close")
	cmd.Env = append(os.Environ(), w.store.env...)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.process, w.input = cmd, input
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return fmt.Errorf("starting the store: %w", err)
	}
	w.address = strings.TrimSpace(strings.TrimPrefix(line, w.store.program+": listening on "))
	return ctx.Err()
}

func (w *world) close() error {
	var err error
	if w.process != nil {
		err = w.input.Close()
		err = errors.Join(err, w.process.Wait())
	}
	if w.api != nil {
		w.api.Close()
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// secret returns a token's secret from the store, as a consumer would; "" if there is none.
func (w *world) secret(ctx context.Context, path string) (string, error) {
	return w.store.read(ctx, w.address, path)
}

// journal returns the store's list of requests.
func (w *world) journal(ctx context.Context) ([]byte, error) {
	var noted json.RawMessage
	if found, err := get(ctx, w.address+w.store.journal, &noted); err != nil || !found {
		return nil, errors.Join(err, errors.New("the store has no journal"))
	}
	return noted, nil
}

// call uses a secret as a pipeline does, and returns the status of PAIStrike's answer.
func (w *world) call(ctx context.Context, secret string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api.URL+"/api/v1/api-tokens/self", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// active returns the working tokens with a label.
func (w *world) active(label string) []sandbox.Token {
	var found []sandbox.Token
	for _, token := range w.paistrike.Tokens() {
		if token.Status == "active" && strings.HasPrefix(token.Name, label+"-ps1-") {
			found = append(found, token)
		}
	}
	return found
}
