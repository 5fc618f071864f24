package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/paistrike/terraform-provider-paistrike/internal/tfcli"
	"github.com/paistrike/terraform-provider-paistrike/provider"
)

const providerBinary = "terraform-provider-paistrike"

// cli is the Terraform or OpenTofu that this run of the tests uses. Its path is empty if
// there is none.
var cli struct {
	path    string
	product string // "Terraform" or "OpenTofu"
	version *version.Version
}

// TestMain runs the tests with every CLI that [tfcli.Programs] finds, one after the other,
// each in a new process. If the program has the name of a provider's binary, it is the
// provider, for the tests that start a CLI themselves.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == providerBinary {
		serve()
		return
	}
	if file := os.Getenv("TF_CLI_CONFIG_FILE"); file != "" {
		if _, err := os.Stat(file); err != nil {
			os.Unsetenv("TF_CLI_CONFIG_FILE") // every command would warn about it
		}
	}
	os.Unsetenv("TF_ACC_TERRAFORM_VERSION") // nothing is downloaded
	programs, err := tfcli.Programs()
	if chosen := os.Getenv(chosenCLI); chosen != "" {
		programs, err = []string{chosen}, nil
	}
	switch {
	case err != nil && (os.Getenv("CI") == "true" || os.Getenv("TF_CLIS") != ""):
		fail(err)
	case err != nil:
		fmt.Println("provider: NO ACCEPTANCE TEST IS RUN:", err)
	case len(programs) == 1:
		if err := choose(programs[0]); err != nil {
			fail(err)
		}
	default:
		if !runEach(programs) {
			os.Exit(1) //nolint:forbidigo // here the run of the tests ends
		}
		return
	}
	m.Run()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "provider:", err)
	os.Exit(1) //nolint:forbidigo // here the run of the tests ends
}

// serve runs the provider as a process, without pauses.
func serve() {
	err := providerserver.Serve(context.Background(), provider.New("test", provider.WithSleep(noPause), provider.WithNow(sandboxTime)),
		providerserver.ServeOpts{Address: "registry.terraform.io/paistrike/paistrike"})
	if err != nil {
		fail(err)
	}
}

// sandboxTime is this machine's clock for a provider that runs in the sandbox's time.
func sandboxTime() time.Time {
	var told struct{ Now time.Time }
	response, err := plainClient().Get(os.Getenv("PAISTRIKE_ENDPOINT") + "/_sandbox/clock") //nolint:noctx // a test's
	if err == nil {
		defer response.Body.Close()
		err = json.NewDecoder(response.Body).Decode(&told)
	}
	if err != nil {
		return time.Now() // there is no sandbox in this story
	}
	return told.Now
}

func noPause(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// choose selects the program that all tests of this process use.
func choose(program string) error {
	said, err := exec.Command(program, "version").Output() //nolint:noctx // answers at once
	found := regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)`).FindStringSubmatch(string(said))
	if err != nil || found == nil {
		return fmt.Errorf("%s is no Terraform and no OpenTofu: %w", program, err)
	}
	cli.path, cli.product = program, found[1]
	if cli.version, err = version.NewVersion(found[2]); err != nil {
		return err
	}
	os.Setenv("TF_ACC_TERRAFORM_PATH", program) //nolint:usetesting // for all tests
	os.Setenv("GOGC", "off")                    //nolint:usetesting // each command lives for a moment, and is quicker for it
	if cli.product == "OpenTofu" {
		os.Setenv("TF_ACC_PROVIDER_HOST", "registry.opentofu.org") //nolint:usetesting // for all tests
	}
	fmt.Printf("provider: driving %s %s (%s)\n", cli.product, cli.version, program)
	return nil
}
