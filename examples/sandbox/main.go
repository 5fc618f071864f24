// Command sandbox serves a PAIStrike, a Vault and an AWS Secrets Manager for experiments: the
// bundled sandbox, Vault's own KV v2 engine (tools/kv) and the server of
// tools/secretsmanager. All are on loopback and use one clock, which POST /_sandbox/clock
// moves.
//
// It creates a management token, a Vault token and an AWS access key, prints them as export
// lines for a shell, and stops all servers on SIGTERM or Ctrl-C. With -cli-config, it also
// configures Terraform and OpenTofu to find the provider of this checkout. None of its tokens
// is real.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/sandbox"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

// managementToken is the name of the token created at the start.
const managementToken = "Sandbox management"

type options struct {
	listen      string
	vaultListen string
	kv          string
	awsListen   string
	aws         string
	envFile     string
	allowRemote bool
	terraform   terraform
	sandbox     sandbox.Options
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8765", "`address` of the sandbox; port 0 takes a free one")
	flags.StringVar(&o.vaultListen, "vault-listen", "127.0.0.1:8210", "`address` of Vault's KV engine; empty = none")
	flags.StringVar(&o.kv, "kv", ".tools/kv", "`program` of Vault's KV engine")
	flags.StringVar(&o.awsListen, "aws-listen", "127.0.0.1:8220", "`address` of AWS Secrets Manager; empty = none")
	flags.StringVar(&o.aws, "aws", ".tools/secretsmanager", "`program` of AWS Secrets Manager")
	flags.StringVar(&o.envFile, "env-file", "", "`file` that gets the export lines, for its owner alone")
	flags.BoolVar(&o.allowRemote, "allow-remote", false, "listen on other addresses than loopback, and answer to any host name")
	flags.Func("shape", "`file` with the form of another API, as in internal/sandbox/shapes", func(path string) error {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		o.sandbox.Shape, err = sandbox.ReadShape(data)
		return err
	})
	flags.StringVar(&o.sandbox.StateFile, "state", "", "`file` that keeps the tokens (digests only) between runs")
	flags.IntVar(&o.sandbox.Policy.RatePerMinute, "rate-per-minute", 0, "`requests` that a token has in a minute; 0 = any number")
	flags.StringVar(&o.sandbox.Policy.RateHeaders, "rate-headers", "", "`form` in which answers announce how many of them are left: structured, fields or x; empty = not at all")
	flags.Func("clock", "`time` (RFC 3339) at which the clock stands until it is moved; default the real one", func(text string) (err error) {
		o.sandbox.Start, err = time.Parse(time.RFC3339, text)
		return err
	})
	o.terraform.flags(flags)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.sandbox.AllowRemote = o.allowRemote
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if !o.allowRemote && !loopback(o.listen) {
		return o, fmt.Errorf("%s is not a loopback address: whoever reaches the sandbox controls it (-allow-remote does it anyway)", o.listen)
	}
	for name, address := range map[string]string{"the KV engine": o.vaultListen, "AWS Secrets Manager": o.awsListen} {
		if address != "" && !loopback(address) {
			return o, fmt.Errorf("%s is not a loopback address, and %s serves no other", address, name)
		}
	}
	return o, nil
}

// loopback reports whether a listen address is on this machine only. An address without a
// host is on every interface.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	paistrike, err := sandbox.New(o.sandbox)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return err
	}
	endpoint := "http://" + local(listener.Addr())
	server := &http.Server{Handler: paistrike, ReadHeaderTimeout: 10 * time.Second}
	// Close, not Shutdown: a request held by a fault would block a graceful shutdown.
	defer func() { _ = server.Close() }()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	_, secret := paistrike.Mint(managementToken, time.Time{})
	if err := paistrike.Save(); err != nil {
		return err
	}
	env := []string{"PAISTRIKE_ENDPOINT=" + endpoint, "PAISTRIKE_API_TOKEN=" + secret}

	stores := o.stores()
	var shown []sandbox.SecretStore
	for _, st := range stores {
		if err := st.start(ctx, st.listen, endpoint+"/_sandbox/clock", stderr); err != nil {
			return err
		}
		defer func() { stop(); <-st.gone }()
		shown = append(shown, st.view(st.address))
		env = append(env, st.exports(st.address)...)
	}
	paistrike.ShowStores(shown...)
	found, err := o.terraform.write()
	if err != nil {
		return fmt.Errorf("letting Terraform find the provider: %w", err)
	}
	env = append(env, found...)
	if err := announce(stdout, endpoint+"/", o.envFile, env); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		return fmt.Errorf("serving the sandbox: %w", err)
	case err := <-anyEnded(stores):
		return err
	}
}

// local returns the address at which this machine reaches a listener.
func local(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr.String()
}

// announce prints the page's address, and the variables as export lines, which it also writes
// to a file if path is not empty. A shell can evaluate all of the output.
func announce(stdout io.Writer, page, path string, env []string) error {
	lines := exports(env)
	if path != "" {
		if err := writeFresh(path, lines); err != nil {
			return fmt.Errorf("writing the export lines: %w", err)
		}
	}
	how := "Use these in another terminal:"
	if path != "" {
		where, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		how = "In another terminal: . " + quote(where)
	}
	_, err := fmt.Fprintf(stdout, "# A PAIStrike sandbox, until Ctrl-C.\n# page: %s\n# guide: docs/guides/getting-started.md\n# %s\n%s", page, how, lines)
	return err
}

// writeFresh creates a file that only its owner can read. It replaces an existing file, which
// others may be able to read.
func writeFresh(path, content string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	return errors.Join(err, file.Close())
}
