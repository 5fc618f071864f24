// Command kv serves Vault's own KV secrets engine on loopback, in memory, for tests and
// experiments. The engine is HashiCorp's, unmodified. Around it, the server implements only
// the paths of a Vault server that a client of the engine needs: health, seal, mounts,
// capabilities and token lookup.
//
// It is not a Vault server: there is one root token, nothing is encrypted or persisted, and
// POST /_kv/faults makes it fail on purpose.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv("KV_ROOT_TOKEN"), os.Stdin, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "kv:", err)
		}
		os.Exit(2)
	}
}

type options struct {
	listen       string
	clockURL     string
	stdin        bool
	mounts       []mountSpec
	policyTokens []policyToken
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("kv", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8210", "loopback `address`; port 0 takes a free one")
	flags.StringVar(&o.clockURL, "clock-url", "", "`URL` that answers {\"now\": RFC 3339}; sys/health and the Date of every answer tell that time")
	flags.BoolVar(&o.stdin, "exit-on-stdin-close", false, "end when standard input ends")
	mount := func(version int) func(string) error {
		return func(path string) error {
			path = strings.Trim(path, "/")
			if path == "" {
				return errors.New("a mount needs a path")
			}
			o.mounts = append(o.mounts, mountSpec{path: path, version: version})
			return nil
		}
	}
	flags.Func("mount", "`path` of a KV v2 engine, may be repeated (default \"secret\")", mount(2))
	flags.Func("mount-v1", "`path` of a KV v1 engine, may be repeated", mount(1))
	flags.Func("policy-token", "a token with few rights, `TOKEN=path:capability,...;path*:...`, may be repeated", func(text string) error {
		token, err := parsePolicyToken(text)
		o.policyTokens = append(o.policyTokens, token)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if len(o.mounts) == 0 {
		o.mounts = []mountSpec{{path: "secret", version: 2}}
	}
	return o, nil
}

func run(ctx context.Context, args []string, root string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if root == "" {
		root = "kv." + rand.Text()
		fmt.Fprintln(stdout, "kv: root token", root)
	}
	listener, err := loopback.Listen(ctx, o.listen)
	if err != nil {
		return err
	}
	if !o.stdin {
		stdin = nil
	}
	return loopback.Serve(ctx, listener, newServer(o, root), stdin, func(address string) {
		fmt.Fprintln(stdout, "kv: listening on", address)
	})
}
