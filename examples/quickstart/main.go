// Command quickstart demonstrates the product on this machine. It starts a PAIStrike sandbox and
// a secret store on loopback: Vault's secrets engine or, with -store aws, an AWS Secrets Manager.
// It lets Terraform provision, rotate and destroy three tokens, and checks every step. It needs
// no account and leaves nothing behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	in := flag.String("store", "vault", "`store` of the secrets, vault or aws")
	flag.Parse()
	if err := run(ctx, *in, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in string, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	s := &story{world: w, out: out}
	for _, chapter := range s.chapters() {
		s.say("\n%s", chapter.title)
		if err := chapter.tell(ctx); err != nil {
			return fmt.Errorf("%s: %w", chapter.title, err)
		}
	}
	s.say("\nAll %d checks passed.", s.checks)
	return nil
}
