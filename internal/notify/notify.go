// Package notify tells others what an audit found: it posts a report to a webhook, and keeps one
// issue for each kind of finding in a repository of GitHub or GitLab. What is told is made in
// internal/report; nothing of it is a secret.
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
	// callTimeout bounds one request.
	callTimeout = 15 * time.Second
	// most is how much of an answer is read, in bytes.
	most = 4 << 20
)

// Webhook posts a report as JSON. The address may carry a secret, so no error repeats it.
func Webhook(ctx context.Context, address secret.Secret, report any) error {
	return call(ctx, http.MethodPost, address.Reveal(), nil, report, nil)
}

// call sends JSON and reads a JSON answer into out, which may be nil. It follows no redirect,
// since the token would go with it.
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
		return errors.New("the address is not a URL") // err repeats it
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
		return fmt.Errorf("no whole answer from %s", req.URL.Host)
	}
	defer func() { _ = resp.Body.Close() }() // all that is needed was read
	raw, err := io.ReadAll(io.LimitReader(resp.Body, most))
	switch {
	case err != nil:
		return fmt.Errorf("no whole answer from %s", req.URL.Host)
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
