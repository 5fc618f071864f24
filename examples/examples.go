// Package examples holds the examples that the documentation shows, so that tests
// can run them as they are published. Nothing that ships imports it.
package examples

import "embed"

// Files are the published examples: provider blocks, resources, logins and Vault
// policies.
//
//go:embed auth policies provider resources
var Files embed.FS
