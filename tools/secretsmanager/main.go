// Command secretsmanager serves AWS Secrets Manager on loopback, in memory, for tests and
// experiments, with the part of STS that a client needs to get credentials. It verifies
// signatures, evaluates IAM policies and implements the documented rules of the API. Its
// tests check it against AWS's published API model.
//
// It is not AWS: nothing is encrypted or persisted, there are no resource policies, rotation
// functions or replicas, and /_aws/ makes it fail on purpose.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/tools/loopback"
)

// Variables with the administrator's credentials. Either both or neither are set.
const (
	keyIDVariable  = "SECRETSMANAGER_ACCESS_KEY_ID"
	secretVariable = "SECRETSMANAGER_SECRET_ACCESS_KEY"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "secretsmanager:", err)
		}
		os.Exit(2)
	}
}

type options struct {
	listen   string
	clockURL string
	stdin    bool
	iam      iamConfig
	settings settings
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("secretsmanager", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8220", "loopback `address`; port 0 takes a free one")
	flags.StringVar(&o.clockURL, "clock-url", "", "`URL` that answers {\"now\": RFC 3339}; the server keeps that time")
	flags.BoolVar(&o.stdin, "exit-on-stdin-close", false, "end when standard input ends")
	flags.BoolVar(&o.settings.Quotas, "quotas", false, "keep AWS's request quotas")
	flags.Func("list-lag", "`duration` by which ListSecrets is behind", func(text string) (err error) {
		lag, err := time.ParseDuration(text)
		o.settings.ListLag = duration(lag)
		return err
	})
	flags.Func("iam", "JSON `file` with users, roles and identity providers", func(path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return decodeStrictly(text, &o.iam)
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, o.settings.check()
}

func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	admin := user{Name: "administrator", AccessKeyID: getenv(keyIDVariable), SecretAccessKey: getenv(secretVariable)}
	if admin.AccessKeyID == "" || admin.SecretAccessKey == "" {
		admin.AccessKeyID, admin.SecretAccessKey = newKeyID("AKIA"), rand.Text()+rand.Text()[:14]
		fmt.Fprintln(stdout, "secretsmanager: access key", admin.AccessKeyID, admin.SecretAccessKey)
	}
	handler, err := newServer(o, admin)
	if err != nil {
		return err
	}
	listener, err := loopback.Listen(ctx, o.listen)
	if err != nil {
		return err
	}
	if !o.stdin {
		stdin = nil
	}
	return loopback.Serve(ctx, listener, handler, stdin, func(address string) {
		fmt.Fprintln(stdout, "secretsmanager: listening on", address)
	})
}

// duration is a time.Duration whose JSON form is text, such as "90s".
type duration time.Duration

// UnmarshalJSON accepts the format of [time.ParseDuration].
func (d *duration) UnmarshalJSON(text []byte) error {
	var words string
	if err := json.Unmarshal(text, &words); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(words)
	*d = duration(parsed)
	return err
}

// MarshalJSON implements [json.Marshaler].
func (d duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }
