// Command launched replaces the program in the launcher's tests. It prints its step and then
// does what INPUT_PROGRAM says.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	fmt.Println("released program, step", strings.Join(os.Args[1:], " "))
	switch os.Getenv("INPUT_PROGRAM") {
	case "environment":
		variables := os.Environ()
		slices.Sort(variables)
		fmt.Println(strings.Join(variables, "\n"))
	case "output":
		output, err := os.OpenFile(os.Getenv("GITHUB_OUTPUT"), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = fmt.Fprintln(output, "source=launched")
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1) //nolint:forbidigo // its purpose
		}
		os.Exit(0) //nolint:forbidigo // its purpose
	case "wait":
		select {
		case signal := <-stop:
			fmt.Println("heard", signal)
			os.Exit(map[os.Signal]int{os.Interrupt: 7, syscall.SIGTERM: 8}[signal]) //nolint:forbidigo // its purpose
		case <-inputClosed():
		}
	}
	os.Exit(3) //nolint:forbidigo // its purpose
}

// inputClosed returns a channel that is closed when the standard input ends, for example
// because the test has died.
func inputClosed() <-chan struct{} {
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(closed)
	}()
	return closed
}
