// Command terraform-provider-paistrike is the Terraform provider for PAIStrike API tokens.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"runtime/debug"
	"strings"
	_ "time/tzdata" // time zones for schedules on machines without a zone database

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/paistrike/terraform-provider-paistrike/provider"
)

// version is set in release builds. Other builds read it from the build info.
var version string

func main() {
	debugger := flag.Bool("debug", false, "serve the provider for a debugger to attach to")
	flag.Parse()
	hushFramework()
	err := providerserver.Serve(context.Background(), provider.New(buildVersion()), providerserver.ServeOpts{
		Address: "registry.terraform.io/paistrike/paistrike",
		Debug:   *debugger,
	})
	if err != nil {
		log.Fatal(err)
	}
}

// hushFramework disables the framework's trace log unless a TF_LOG variable is set. The log is
// enabled by default, and without TF_LOG the CLI discards it: writing and reading it took a fifth
// of the provider's time, and some of the CLI's.
func hushFramework() {
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "TF_LOG") {
			return
		}
	}
	_ = os.Setenv("TF_LOG_SDK", "off") // the framework has no other switch
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
