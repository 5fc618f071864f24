//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup starts a command in its own process group, so that a signal to the group reaches
// no other process.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
