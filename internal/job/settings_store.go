package job

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/runner"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
)

// credential locates the token for calls to PAIStrike, and names the input that specifies it.
type credential struct {
	input string
	at    entry.Location
}

// own returns the credential for commands that use a single entry.
func (p *parser) own() credential {
	if p.in["store"] == storeAWS {
		return credential{"aws_secret_id", entry.Location{Path: p.in["aws_secret_id"], Key: p.in["aws_key"]}}
	}
	return credential{"vault_path", entry.Location{
		Mount: strings.Trim(p.in["vault_mount"], "/"), Path: strings.Trim(p.in["vault_path"], "/"), Key: p.in["vault_key"],
	}}
}

// broker returns the credential for runs over many entries.
func (p *parser) broker() credential {
	at := entry.Location{Path: strings.Trim(p.in["broker_path"], "/"), Key: p.in["broker_key"]}
	if p.in["store"] != storeAWS {
		at.Mount = strings.Trim(p.in["broker_mount"], "/")
		if at.Mount == "" {
			at.Mount = strings.Trim(p.in["vault_mount"], "/")
		}
	}
	return credential{"broker_path", at}
}

// readStore parses how to reach the chosen store. An input of another store is an error,
// unless it may come from a variable that other programs read too.
func (p *parser) readStore(c *connection) {
	c.store = p.oneOf("store")
	for _, in := range p.inputs {
		if in.Store != "" && in.Store != c.store && p.in[in.Name] != in.Default && (p.github || in.Env == "") {
			p.wrong(in.Name, "requires store: %s", in.Store)
		}
	}
	switch c.store {
	case storeAWS:
		c.aws = p.aws(c.maxAttempts)
	case storeVault:
		c.vault = p.vault()
	}
}

var (
	roleARN   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$`)
	secretARN = regexp.MustCompile(`^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+$`)
)

// aws parses how to reach AWS. attempts is the maximum number of attempts per call.
func (p *parser) aws(attempts int) aws.Config {
	c := aws.Config{
		Region: p.in["aws_region"], Profile: p.in["aws_profile"], Endpoint: p.awsEndpoint("aws_endpoint"), STSEndpoint: p.awsEndpoint("aws_sts_endpoint"),
		MaxAttempts: attempts, Version: p.version,
	}
	if c.Region != "" && aws.CheckRegion(c.Region) != nil {
		p.wrong("aws_region", "is not a region such as eu-central-1")
	}
	if arn := p.in["aws_role_arn"]; arn != "" {
		if !roleARN.MatchString(arn) {
			p.wrong("aws_role_arn", "is not the ARN of a role, such as arn:aws:iam::123456789012:role/paistrike")
		}
		c.AssumeRoleWithWebIdentity = &aws.WebIdentity{ARN: arn}
	}
	return c
}

// secretID validates the name of a secret, or its ARN if orARN is true.
func (p *parser) secretID(name string, orARN bool) {
	switch value := p.in[name]; {
	case value == "", aws.CheckName(value) == nil, orARN && secretARN.MatchString(value):
	case secretARN.MatchString(value):
		p.wrong(name, "must be the name of the secret, not its ARN, because AWS lists secrets by name")
	default:
		p.wrong(name, "is not the name of a secret: letters, digits and /_+=.@- are allowed")
	}
}

func (p *parser) awsEndpoint(name string) string {
	u, err := url.Parse(p.in[name])
	switch {
	case p.in[name] == "":
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		p.wrong(name, "is not a URL such as https://vpce-0123456789abcdef0.secretsmanager.eu-central-1.vpce.amazonaws.com")
	case u.Scheme != "https" && (u.Scheme != "http" || !runner.IsLoopback(u.Hostname())):
		p.wrong(name, "must begin with https:// (http:// is allowed only for loopback addresses)")
	}
	return p.in[name]
}

// place returns the display name of an entry, with the same prefix as in an import ID.
func (c connection) place(at entry.Location) string { return c.root() + "/" + at.Path }

// root returns the common prefix of all paths: the mount or the region.
func (c connection) root() string {
	switch {
	case c.store == storeAWS && c.aws.Region != "":
		return "aws/" + c.aws.Region
	case c.store == storeAWS:
		return "aws"
	}
	return c.at.Mount
}
