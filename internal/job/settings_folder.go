package job

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// folderSettings are the inputs of rotate and audit, understood and checked.
type folderSettings struct {
	connection

	folder entry.Location
	// single says that the folder is one entry.
	single      bool
	concurrency int
	failOn      string
	allowEmpty  bool

	summary                bool
	dryRun, force, onlyDue bool // rotate
	sweep                  bool // audit
	limits                 fleet.Limits
	notices                notices
}

// where names the folder for people.
func (s folderSettings) where() string { return s.folder.Mount + "/" + s.folder.Path }

// parseRotate checks the inputs of rotate. It touches nothing but certificate files.
func parseRotate(p *parser) (folderSettings, error) {
	s, in := p.folder(), p.in
	s.dryRun, s.force, s.onlyDue = p.yes("dry_run"), p.yes("force"), p.yes("only_due")
	s.failOn = p.oneOf("fail_on")
	switch {
	case in["vault_path"] != "" && in["vault_prefix"] != "":
		p.wrong("vault_path", "is for one entry and vault_prefix for a folder: set one of them")
	case in["vault_path"] != "":
		s.single, s.folder.Path = true, strings.Trim(in["vault_path"], "/")
	case in["vault_prefix"] == "":
		p.wrong("vault_prefix", "is required, such as ci, or / for all of the mount; or set vault_path for one entry")
	}
	return s, p.verdict()
}

// parseAudit checks the inputs of audit.
func parseAudit(p *parser) (folderSettings, error) {
	s, in := p.folder(), p.in
	s.sweep = p.yes("sweep")
	s.failOn = p.oneOf("fail_on")
	s.limits = fleet.Limits{
		UnusedAfter: p.duration("unused_after"), MaxExpiresIn: p.duration("max_expires_in"),
		WarnBefore: p.duration("warn_before"), JobTime: p.duration("job_time"),
	}
	s.notices = p.notices()
	s.secrets = append(s.secrets, shown(s.notices.webhook, s.notices.tracker.Token)...)
	if in["vault_prefix"] == "" {
		p.wrong("vault_prefix", "is required, such as ci, or / for all of the mount")
	}
	return s, p.verdict()
}

// folder reads what rotate and audit have in common.
func (p *parser) folder() folderSettings {
	mount := strings.Trim(p.in["vault_mount"], "/")
	brokerMount := p.in["broker_mount"]
	if brokerMount == "" {
		brokerMount = mount
	}
	s := folderSettings{connection: p.connection("broker_path", brokerMount, p.in["broker_key"])}
	s.folder = entry.Location{Mount: mount, Path: strings.Trim(p.in["vault_prefix"], "/")}
	// One Vault token does all of a run, so that a hiccup of Vault need not end it.
	s.vault.MaxRetries, s.vault.RetryWaitMin = s.maxAttempts-1, time.Second/2
	if s.maxAttempts == 1 {
		s.vault.MaxRetries = -1
	}
	n, err := strconv.Atoi(p.in["concurrency"])
	if err != nil || n < 1 || n > 32 {
		p.wrong("concurrency", "%q is not a number from 1 to 32", p.in["concurrency"])
	}
	s.concurrency, s.allowEmpty = n, p.yes("allow_empty")
	if p.has("summary") {
		s.summary = p.yes("summary")
	}
	return s
}

// shown are the secrets that there are.
func shown(secrets ...secret.Secret) []secret.Secret {
	return slices.DeleteFunc(secrets, secret.Secret.IsZero)
}
