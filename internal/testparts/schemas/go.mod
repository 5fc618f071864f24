module github.com/paistrike/terraform-provider-paistrike/internal/testparts/schemas

go 1.26.1

require (
	github.com/external-secrets/external-secrets v0.16.2
	github.com/securego/gosec/v2 v2.29.0
	sigs.k8s.io/secrets-store-csi-driver v1.5.5
)
