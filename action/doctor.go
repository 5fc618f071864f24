package main

import (
	"context"
	"os"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/doctor"
	"github.com/paistrike/terraform-provider-paistrike/internal/job"
)

// doctorTime limits an examination.
const doctorTime = 5 * time.Minute

// examine runs the doctor. It has its own command line, because it needs no store.
func examine(m job.Machine, args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), doctorTime)
	defer cancel()
	go func() {
		select {
		case <-m.Stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return doctor.Command{
		Getenv: m.Getenv, ReadFile: os.ReadFile, Out: m.Out, Errors: m.Err, UserAgent: "paistrike-action/" + m.Version,
	}.Run(ctx, args)
}
