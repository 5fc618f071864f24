package paistrike

import _ "embed"

//go:embed openapi.yaml
var openAPI string

// OpenAPI returns the wire contract as an OpenAPI 3.0.3 document in YAML. The tests check
// both the client and the sandbox against it.
func OpenAPI() string { return openAPI }
