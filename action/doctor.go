package main

import (
	"os"

	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
)

// doctor tries out how PAIStrike's API is configured. It has a command line of its
// own, because it needs no Vault.
func (w world) doctor(args []string) int {
	ctx, end := w.step(doctorTime, w.stop)
	defer end()
	return doctor.Command{
		Getenv: w.getenv, ReadFile: os.ReadFile, Out: w.out, Errors: os.Stderr, UserAgent: "paistrike-action/" + version,
	}.Run(ctx, args)
}
