//go:build darwin || linux

package cli

import (
	"os"
	"syscall"
	"unsafe"
)

// columnsOf asks the terminal, 0 if it does not say: TIOCGWINSZ of ioctl_tty(2).
func columnsOf(out *os.File) int {
	var size struct{ rows, columns, x, y uint16 }
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, out.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size))) //nolint:gosec // the kernel fills it in
	if failed != 0 {
		return 0
	}
	return int(size.columns)
}
