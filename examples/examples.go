// Package examples holds the examples that the documentation shows, so that tests
// can run them as they are published. Nothing that ships imports it.
package examples

import "embed"

// Files are the published examples: what the provider block, the resource and all
// its other parts look like, logins and Vault policies.
//
//go:embed actions auth data-sources ephemeral-resources list-resources policies provider resources
var Files embed.FS
