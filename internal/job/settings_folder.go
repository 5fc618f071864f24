package job

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/fleet"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// folderSettings are the parsed and validated inputs of rotate, audit and abandon.
type folderSettings struct {
	connection

	folder entry.Location
	// single means that folder is a single entry.
	single      bool
	shard       fleet.Shard // rotate
	concurrency int
	failOn      string
	allowEmpty  bool

	summary                bool
	dryRun, force, onlyDue bool // rotate
	revokePrevious, adopt  bool
	gone                   string // abandon: base URL of the PAIStrike that no longer exists
	sweep                  bool   // audit
	limits                 fleet.Limits
	notices                notices
}

// where returns the folder's display name.
func (s folderSettings) where() string {
	folder := s.root() + "/" + s.folder.Path
	if s.shard.Whole() {
		return folder
	}
	return fmt.Sprintf("%s, shard %d of %d", folder, s.shard.Number, s.shard.Of)
}

// root returns the common prefix of all entries' paths.
func (s folderSettings) root() string {
	if s.store == storeAWS {
		return s.connection.root()
	}
	return s.folder.Mount
}

// confirmation is the question to confirm before a run, and the error if it is not confirmed.
type confirmation struct {
	question string
	refused  error
}

// asks returns what must be confirmed, or nil.
func (s folderSettings) asks() *confirmation {
	switch {
	case s.dryRun:
	case s.gone != "":
		return &confirmation{abandonAll(s.where(), s.gone), abandonNotConfirmed(s.where())}
	case s.revokePrevious && !s.single: // many tokens would be revoked without an overlap
		return &confirmation{revokeAll(s.where()), notConfirmed(s.where())}
	}
	return nil
}

// holdsBroker reports whether the management token's entry is among the entries of the run.
func (s folderSettings) holdsBroker() bool {
	below := s.folder.Path
	if below != "" {
		below += "/"
	}
	return !s.single && s.management.IsZero() && s.at.Mount == s.folder.Mount && strings.HasPrefix(s.at.Path, below)
}

// parseRotate parses the inputs of rotate. It reads only certificate files.
func parseRotate(p *parser) (folderSettings, error) {
	s := p.folder(p.broker())
	s.dryRun, s.force, s.onlyDue = p.yes("dry_run"), p.yes("force"), p.yes("only_due")
	s.revokePrevious, s.adopt = p.yes("revoke_previous"), p.yes("adopt")
	if s.revokePrevious && !s.force {
		p.wrong("revoke_previous", "requires force, because it revokes the tokens that this run replaces")
	}
	s.failOn = p.oneOf("fail_on")
	s.shard = p.shard()
	p.which(&s)
	if s.single && p.in["shard"] != "" {
		of := p.walked()
		p.wrong("shard", "divides the entries of %[1]s; remove it, or set %[1]s instead of %[2]s", of.prefix, of.one)
	}
	return s, p.verdict()
}

// parseAbandon parses the inputs of abandon. It needs no credential for PAIStrike.
func parseAbandon(p *parser) (folderSettings, error) {
	s := p.folder(credential{})
	s.dryRun = p.yes("dry_run")
	s.gone, _ = s.api.Base() // its problems are already reported
	p.which(&s)
	return s, p.verdict()
}

// which parses whether the run covers one entry or many.
func (p *parser) which(s *folderSettings) {
	of := p.walked()
	switch one, prefix := p.in[of.one], p.in[of.prefix]; {
	case one != "" && prefix != "":
		p.wrong(of.one, "selects one entry, and %s a folder; set only one of them", of.prefix)
	case one != "":
		s.single, s.folder.Path = true, strings.Trim(one, "/")
	case prefix == "":
		p.wrong(of.prefix, "is required, such as ci, or / for %s; for a single entry, set %s", of.all, of.one)
	}
	if s.store == storeAWS {
		p.secretID(of.one, false)
	}
}

// parseAudit parses the inputs of audit.
func parseAudit(p *parser) (folderSettings, error) {
	s := p.folder(p.broker())
	s.sweep = p.yes("sweep")
	s.failOn = p.oneOf("fail_on")
	s.limits = fleet.Limits{
		UnusedAfter: p.duration("unused_after"), MaxExpiresIn: p.duration("max_expires_in"),
		WarnBefore: p.duration("warn_before"), JobTime: p.duration("job_time"),
	}
	s.notices = p.notices()
	s.secrets = append(s.secrets, shown(s.notices.webhook, s.notices.tracker.Token)...)
	if of := p.walked(); p.in[of.prefix] == "" {
		p.wrong(of.prefix, "is required, such as ci, or / for %s", of.all)
	}
	return s, p.verdict()
}

// walked contains the names of the inputs that select the entries of a run.
type walked struct{ one, prefix, all string }

func (p *parser) walked() walked {
	if p.in["store"] == storeAWS {
		return walked{"aws_secret_id", "aws_prefix", "the whole region"}
	}
	return walked{"vault_path", "vault_prefix", "the whole mount"}
}

// folder parses the inputs that all runs over a folder have in common.
func (p *parser) folder(from credential) folderSettings {
	s := folderSettings{connection: p.connection(from)}
	s.folder = entry.Location{Path: strings.Trim(p.in[p.walked().prefix], "/")}
	if s.store == storeVault {
		s.folder.Mount = strings.Trim(p.in["vault_mount"], "/")
	}
	// The whole run uses one Vault token, so the client retries temporary failures of Vault.
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

// maxShards limits the number of shards, because each shard lists the account and the
// folders.
const maxShards = 1000

// shard parses a shard such as 3/10. An empty input means the whole folder.
func (p *parser) shard() fleet.Shard {
	text := p.in["shard"]
	if text == "" {
		return fleet.Shard{}
	}
	number, of, _ := strings.Cut(text, "/")
	k, errK := strconv.Atoi(number)
	n, errN := strconv.Atoi(of)
	if errK != nil || errN != nil || k < 1 || k > n || n > maxShards {
		p.wrong("shard", "%q is not a shard such as 3/10 (the third of ten); there can be up to %d shards", text, maxShards)
	}
	return fleet.Shard{Number: k, Of: n}
}

// shown returns the secrets that are set.
func shown(secrets ...secret.Secret) []secret.Secret {
	return slices.DeleteFunc(secrets, secret.Secret.IsZero)
}
