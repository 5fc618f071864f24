// The Terraform provider for PAIStrike API tokens.
package main

import (
	"context"
	"flag"
	"log"
	"runtime/debug"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/paistrike/terraform-provider-paistrike/provider"
)

// version is set by the release; other builds know theirs from build info.
var version string

func main() {
	debugger := flag.Bool("debug", false, "serve the provider for a debugger to attach to")
	flag.Parse()
	err := providerserver.Serve(context.Background(), provider.New(buildVersion()), providerserver.ServeOpts{
		Address: "registry.terraform.io/paistrike/paistrike",
		Debug:   *debugger,
	})
	if err != nil {
		log.Fatal(err)
	}
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "dev"
}
