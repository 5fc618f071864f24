// The Terraform provider for PAIStrike API tokens.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"runtime/debug"
	"strings"
	_ "time/tzdata" // schedules in time zones, on machines without a zone database

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/paistrike/terraform-provider-paistrike/provider"
)

// version is set by the release; other builds know theirs from build info.
var version string

func main() {
	debugger := flag.Bool("debug", false, "serve the provider for a debugger to attach to")
	flag.Parse()
	hushFramework()
	collectLess()
	err := providerserver.Serve(context.Background(), provider.New(buildVersion()), providerserver.ServeOpts{
		Address: "registry.terraform.io/paistrike/paistrike",
		Debug:   *debugger,
	})
	if err != nil {
		log.Fatal(err)
	}
}

// hushFramework turns the framework's own trace log off where nobody reads it. It is on
// by default, and without TF_LOG the CLI throws it away: writing and reading it took a
// fifth of the provider's time, and some of the CLI's.
func hushFramework() {
	for _, variable := range os.Environ() {
		if strings.HasPrefix(variable, "TF_LOG") {
			return
		}
	}
	_ = os.Setenv("TF_LOG_SDK", "off") // the framework has no other switch
}

// collectLess lets the heap grow to three times what is in use, not to twice, before
// garbage is collected. The framework allocates some 4 MB for each resource and drops
// them at once; for a thousand tokens this spares a quarter of the provider's processor
// time, and costs 70 MB. GOGC decides if it is set.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
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
