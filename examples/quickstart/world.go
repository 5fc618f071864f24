package main

import (
	"bufio"
	"context"
	"crypto/rand"
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

// firstDay is where the sandbox clock stands at first: the story is the same on every
// day of the year.
var firstDay = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// world is everything that the story plays in. All of it is on loopback and ends
// with the program.
type world struct {
	dir       string // Terraform's working directory, removed at the end
	paistrike *sandbox.Server
	api       *httptest.Server
	vaultAddr string
	vaultRoot string
	kv        *exec.Cmd
	kvInput   io.Closer
	terraform terraform
}

func newWorld(ctx context.Context) (*world, error) {
	w := &world{vaultRoot: rand.Text()}
	var err error
	if w.dir, err = os.MkdirTemp("", "paistrike-quickstart-"); err != nil {
		return nil, err
	}
	if w.paistrike, err = sandbox.New(sandbox.Options{Start: firstDay}); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.api = httptest.NewServer(w.paistrike)
	if err = w.startVault(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	_, management := w.paistrike.Mint("Terraform", time.Time{})
	env := []string{
		"PAISTRIKE_ENDPOINT=" + w.api.URL, "PAISTRIKE_API_TOKEN=" + management,
		"VAULT_ADDR=" + w.vaultAddr, "VAULT_TOKEN=" + w.vaultRoot,
	}
	if w.terraform, err = newTerraform(w.dir, env); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// startVault runs Vault's KV engine as a process of its own. It ends when its
// standard input does, and so never outlives this program.
func (w *world) startVault(ctx context.Context) error {
	binary, err := filepath.Abs(filepath.Join(".tools", "kv"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return errors.New("the secrets engine is not built yet: run make demo in the repository's top folder")
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, "-listen", "127.0.0.1:0", "-clock-url", w.api.URL+"/_sandbox/clock", "-exit-on-stdin-close")
	cmd.Env = append(os.Environ(), "KV_ROOT_TOKEN="+w.vaultRoot)
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
	w.kv, w.kvInput = cmd, input
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		return fmt.Errorf("starting the secrets engine: %w", err)
	}
	w.vaultAddr = strings.TrimSpace(strings.TrimPrefix(line, "kv: listening on "))
	return ctx.Err()
}

func (w *world) close() error {
	var err error
	if w.kv != nil {
		err = w.kvInput.Close()
		err = errors.Join(err, w.kv.Wait())
	}
	if w.api != nil {
		w.api.Close()
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// secret reads a token's secret from Vault, as a consumer would; "" where the path
// holds none.
func (w *world) secret(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.vaultAddr+"/v1/secret/data/"+path, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Vault-Token", w.vaultRoot)
	response, err := w.api.Client().Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound {
		return "", nil
	}
	var answer struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("reading secret/%s: %w", path, err)
	}
	secret, _ := answer.Data.Data["token"].(string)
	return secret, nil
}

// call uses a secret the way a pipeline does, and gives PAIStrike's answer.
func (w *world) call(ctx context.Context, secret string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api.URL+"/api/v1/api-tokens/self", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := w.api.Client().Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// active gives the names of the tokens that work, by the first part of the name.
func (w *world) active(label string) []sandbox.Token {
	var found []sandbox.Token
	for _, token := range w.paistrike.Tokens() {
		if token.Status == "active" && strings.HasPrefix(token.Name, label+"-ps1-") {
			found = append(found, token)
		}
	}
	return found
}
