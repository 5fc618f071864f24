module github.com/paistrike/terraform-provider-paistrike/tools/loopback

go 1.26.1
