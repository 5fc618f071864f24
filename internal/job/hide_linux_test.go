package job

import (
	"os"
	"syscall"
	"testing"
)

// prGetDumpable is PR_GET_DUMPABLE of prctl(2).
const prGetDumpable = 3

func TestHideSecrets(t *testing.T) {
	t.Parallel()
	if err := hideSecrets(); err != nil {
		t.Fatal(err)
	}
	if dumpable, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, prGetDumpable, 0, 0); dumpable != 0 || failed != 0 {
		t.Errorf("dumpable is %d, %v", dumpable, failed)
	}
	if start, end, err := environmentBlock(); err != nil || end-start < int64(len("PATH="+os.Getenv("PATH"))) {
		t.Errorf("an environment of %d bytes, %v", end-start, err)
	}
}
