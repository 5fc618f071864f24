//go:build darwin || linux

package cli

import (
	"os"
	"syscall"
	"unsafe"
)

// columnsOf returns the terminal's width from TIOCGWINSZ, see ioctl_tty(2), or 0 if it is
// unknown.
func columnsOf(out *os.File) int {
	var size struct{ rows, columns, x, y uint16 }
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, out.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size))) //nolint:gosec // the kernel fills it in
	if failed != 0 {
		return 0
	}
	return int(size.columns)
}
