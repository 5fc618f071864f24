// Package notify publishes the findings of an audit: it posts a report to a webhook, and
// maintains one issue for each kind of finding in a GitHub or GitLab repository.
// internal/report writes the contents, which include no secret.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

const (
	// callTimeout limits one request.
	callTimeout = 15 * time.Second
	// most limits how much of an answer is read, in bytes.
	most = 4 << 20
)

// Webhook posts a report as JSON. Errors do not contain the address, which may include a
// secret.
func Webhook(ctx context.Context, address secret.Secret, report any) error {
	return call(ctx, http.MethodPost, address.Reveal(), nil, report, nil)
}

// call sends JSON and decodes a JSON answer into out unless out is nil. It follows no
// redirects, which would receive the token.
func call(ctx context.Context, method, address string, headers map[string]string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return errors.New("the address is not a URL") // err quotes the address
	}
	req.Header.Set("User-Agent", "paistrike-action")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	client := &http.Client{Timeout: callTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("incomplete response from %s", req.URL.Host)
	}
	defer func() { _ = resp.Body.Close() }() // the body has already been read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, most))
	switch {
	case err != nil:
		return fmt.Errorf("incomplete response from %s", req.URL.Host)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return fmt.Errorf("%s answered %d %s", req.URL.Host, resp.StatusCode, http.StatusText(resp.StatusCode))
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("the answer of %s cannot be read", req.URL.Host)
	}
	return nil
}
