// Command secretsmanager serves AWS Secrets Manager on loopback, in memory, for
// tests and for trying things out, with as much of STS as a client needs to get
// credentials. It checks signatures, evaluates IAM policies and follows the API's
// documented rules; AWS's published API model is what its tests hold it to.
//
// It is not AWS: nothing is encrypted or kept, there are no resource policies,
// rotation functions or replicas, and /_aws/ makes it misbehave on purpose.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// The variables that name the administrator's credentials. Both or neither are set.
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
	listener, err := listen(ctx, o.listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(stdout, "secretsmanager: listening on http://%s\n", listener.Addr())

	closed := make(chan struct{})
	if o.stdin {
		go func() {
			_, _ = io.Copy(io.Discard, bufio.NewReader(stdin))
			close(closed)
		}()
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	case <-closed:
	}
	// Requests held back by a fault would keep a graceful end waiting.
	return server.Close()
}

// listen opens the address, which must be on loopback: secrets are kept in clear
// here, and whoever reaches /_aws/ may do anything.
func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		_ = listener.Close()
		return nil, fmt.Errorf("%s is not a loopback address", address)
	}
	return listener, nil
}

// duration is a time.Duration that JSON writes as text, such as "90s".
type duration time.Duration

// UnmarshalJSON reads text that time.ParseDuration takes.
func (d *duration) UnmarshalJSON(text []byte) error {
	var words string
	if err := json.Unmarshal(text, &words); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(words)
	*d = duration(parsed)
	return err
}

// MarshalJSON writes the text.
func (d duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }
