package job

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/notify"
	"github.com/paistrike/terraform-provider-paistrike/internal/report"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// notices configures where the findings of an audit are published.
type notices struct {
	sarif, metrics string // files
	webhook        secret.Secret
	tracker        notify.Tracker // without a repository, no issues are created
}

// notices reads the configuration of notifications.
func (p *parser) notices() notices {
	n := notices{
		sarif: p.in["sarif_file"], metrics: p.in["metrics_file"], webhook: secret.New(p.in["webhook_url"]),
		tracker: notify.Tracker{
			Service: p.oneOf("issues_service"), API: strings.TrimRight(p.in["issues_api"], "/"), Repository: strings.Trim(p.in["issues_repository"], "/"),
			Token: secret.New(p.in["issues_token"]),
		},
	}
	if !n.webhook.IsZero() && !safeAddress(n.webhook.Reveal()) {
		p.wrong("webhook_url", "must begin with https:// (http:// is allowed only for loopback addresses)")
	}
	if n.tracker.Repository == "" {
		return n
	}
	if n.tracker.API == "" {
		n.tracker.API = map[string]string{"github": "https://api.github.com", "gitlab": "https://gitlab.com/api/v4"}[n.tracker.Service]
	}
	if !safeAddress(n.tracker.API) {
		p.wrong("issues_api", "must begin with https:// (http:// is allowed only for loopback addresses)")
	}
	if !strings.Contains(n.tracker.Repository, "/") || strings.ContainsAny(n.tracker.Repository, "?#% ") || strings.Contains("/"+n.tracker.Repository+"/", "/../") {
		p.wrong("issues_repository", "is not a repository such as acme/tokens")
	}
	if !secret.IsVisible(n.tracker.Token.Reveal()) {
		p.wrong("issues_token", "is required with issues_repository")
	}
	return n
}

func safeAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && runner.IsLoopback(u.Hostname()))
}

// tell publishes the findings everywhere. A failure does not prevent the others.
func (n notices) tell(ctx context.Context, found fleet.AuditReport, set folderSettings, version string) error {
	var failed []error
	try := func(what string, err error) {
		if err != nil {
			failed = append(failed, notTold(what, err))
		}
	}
	if n.sarif != "" {
		raw, err := json.MarshalIndent(report.SARIF(found, set.root(), version), "", "  ")
		try("the file for sarif_file", errors.Join(err, writeFile(n.sarif, append(raw, '\n'))))
	}
	if n.metrics != "" {
		try("the file for metrics_file", writeFile(n.metrics, []byte(report.Metrics(found, set.root()))))
	}
	if !n.webhook.IsZero() {
		try("the webhook", notify.Webhook(ctx, n.webhook, found))
	}
	if n.tracker.Repository != "" {
		try("the issues of "+n.tracker.Repository, n.tracker.Issues(ctx, report.Issues(found, set.where())))
	}
	return errors.Join(failed...)
}

// writeFile replaces a file atomically, so that readers never see a partial file.
func writeFile(file string, text []byte) error {
	half, err := os.CreateTemp(filepath.Dir(file), ".paistrike-*")
	if err != nil {
		return err
	}
	_, err = half.Write(text)
	err = errors.Join(err, half.Chmod(0o644), half.Close())
	if err == nil {
		err = os.Rename(half.Name(), file)
	}
	if err != nil {
		_ = os.Remove(half.Name()) // remove the partial file
	}
	return err
}
