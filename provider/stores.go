package provider

import (
	"context"
	"maps"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/rotation"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/aws/defaultchain"
	"github.com/paistrike/terraform-provider-paistrike/internal/store/vault"
)

// Only this file names the stores: which of them contains an entry, and what is specific
// to one of them.

// connection is the engine of a resource, and the store that the engine was created
// for.
type connection struct {
	engine *rotation.Engine
	vault  *vault.Store // nil unless this is the store
	aws    *aws.Store   // nil unless this is the store
}

// storeSettings are a resource's settings for its secret, in addition to the location.
type storeSettings = aws.Settings

// storeFormat is the format of a secret's value.
type storeFormat = aws.Format

const jsonFormat, plainFormat = string(aws.JSON), string(aws.Plain)

// place is one of the two stores as the provider block configures it.
type place struct {
	unknown bool // part of its block is unknown
	connect func() (connection, error)
}

// stores contains both stores. Each is connected to at its first use.
type stores struct {
	vault, aws place
	// likely is the store to use without an entry: an imported token has none yet.
	likely *place
}

// of returns the store of a location. A location in Vault has a mount, and one in AWS has
// none.
func (s *stores) of(at entry.Location) *place {
	switch {
	case at == entry.Location{}:
		return s.likely
	case at.Mount != "":
		return &s.vault
	}
	return &s.aws
}

// newStores returns both stores. Their engines call PAIStrike with the result of tokens,
// and share one list of its tokens.
func newStores(ctx context.Context, m providerModel, version string, env surroundings, tokens func() (rotation.Tokens, error)) *stores {
	s := &stores{}
	options := env.engineOptions(rotation.NewInventory())
	s.vault = newPlace(anyUnknown(ctx, m.Vault), tokens, options, func() (connection, rotation.Store, error) {
		config, err := env.vaultConfig(ctx, m.Vault, version)
		if err != nil {
			return connection{}, nil, err
		}
		client, err := vault.New(config)
		if err != nil {
			return connection{}, nil, err
		}
		store := vault.NewStore(client)
		return connection{vault: store}, store, nil
	})
	s.aws = newPlace(anyUnknown(ctx, m.AWS), tokens, options, func() (connection, rotation.Store, error) {
		config, err := env.awsConfig(ctx, m.AWS, version)
		if err != nil {
			return connection{}, nil, err
		}
		config.Load = defaultchain.Load
		store := aws.New(config)
		return connection{aws: store}, store, nil
	})
	s.likely = &s.vault
	if m.Vault.IsNull() && (!m.AWS.IsNull() || env.getenv("VAULT_ADDR") == "") {
		s.likely = &s.aws
	}
	return s
}

// engineOptions returns the options of every engine of this process.
func (env surroundings) engineOptions(shared *rotation.Inventory) []rotation.Option {
	options := []rotation.Option{rotation.WithInventory(shared), rotation.WithTogether(rotation.SideBySide)}
	if env.sleep != nil {
		options = append(options, rotation.WithSleep(env.sleep))
	}
	if env.now != nil {
		options = append(options, rotation.WithNow(env.now))
	}
	return options
}

func newPlace(unknown bool, tokens func() (rotation.Tokens, error), options []rotation.Option, open func() (connection, rotation.Store, error)) place {
	return place{unknown: unknown, connect: sync.OnceValues(func() (connection, error) {
		if unknown {
			return connection{}, errUnknownConfig
		}
		caller, err := tokens()
		if err != nil {
			return connection{}, err
		}
		there, store, err := open()
		if err != nil {
			return connection{}, err
		}
		there.engine = rotation.New(caller, store, options...)
		return there, nil
	})}
}

// open connects to the store of an entry and passes on the settings of the entry.
func (s *stores) open(d desired) (connection, error) {
	there, err := s.of(d.at).connect()
	there.prepare(d)
	return there, err
}

// prepare passes on the settings of an entry to its store.
func (c connection) prepare(d desired) {
	if c.aws != nil {
		c.aws.Set(d.at, d.settings)
	}
}

// setPlace writes the location of the secret into a model.
func (m *apiTokenModel) setPlace(there connection, at entry.Location, key string, diags *diag.Diagnostics) {
	var inVault *tokenVaultModel
	var inAWS *tokenAWSModel
	if there.aws != nil {
		inAWS = awsOf(at, key, there.aws.Format(at))
	} else {
		inVault = vaultOf(at, key)
	}
	m.Vault = objectOf("vault", inVault, diags)
	m.AWS = objectOf("aws_secrets_manager", inAWS, diags)
}

// retag changes the tags of an existing secret to those of a changed configuration.
func (c connection) retag(ctx context.Context, s situation) error {
	if c.aws == nil || s.want.at.Entry() != s.have.at.Entry() || maps.Equal(s.want.settings.Tags, s.have.settings.Tags) {
		return nil
	}
	return c.aws.Retag(ctx, s.want.at, s.have.settings.Tags)
}

// restoring warns in a plan that its apply restores a deleted secret. Only AWS keeps a
// name in use while a secret can be restored.
func (c connection) restoring(seen rotation.Sight, diags *diag.Diagnostics) {
	if c.aws != nil && seen.Condition == entry.Deleted {
		diags.AddWarning("Secret will be restored",
			seen.At.String()+" is scheduled for deletion, and its name stays reserved until the recovery window ends. An apply of this plan restores the secret and publishes the new token there. "+
				"Its older versions can then be read again; their tokens are revoked.")
	}
}

// region returns AWS's default region.
func (s *session) region(ctx context.Context, diags *diag.Diagnostics) string {
	there := s.connectTo(&s.stores.aws, diags)
	if diags.HasError() {
		return ""
	}
	region, err := there.aws.Region(ctx)
	if err != nil {
		var wrong diag.Diagnostics
		addFailure(&wrong, "AWS region is missing", err)
		for _, one := range wrong {
			diags.Append(ofProvider{one})
		}
	}
	return region
}
