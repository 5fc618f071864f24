// Package examples holds the examples that the documentation shows, so that tests
// can run them as they are published. Nothing that ships imports it.
package examples

import "embed"

// Files are the published examples: what the provider block, the resource and all
// its other parts look like, logins, Vault policies, and what the guides by task show.
//
//go:embed actions auth data-sources ephemeral-resources list-resources policies provider resources
//go:embed getting-started many-integrations refactoring testing two-accounts
var Files embed.FS
