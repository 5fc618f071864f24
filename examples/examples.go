// Package examples embeds the examples in the documentation, so that tests can run them as
// published. Shipped programs do not import it.
package examples

import "embed"

// Files contains the published examples: the provider block, the resource, data sources and other
// types, logins, Vault policies, and the examples of the guides.
//
//go:embed actions auth data-sources ephemeral-resources list-resources policies provider resources
//go:embed getting-started many-integrations refactoring testing two-accounts
var Files embed.FS
