package main

import (
	"os"
	"testing"
)

// The framework's log is enabled only if the user asks Terraform for a log.
func TestFrameworkLogsOnlyForAReader(t *testing.T) {
	for _, variable := range []string{"TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_CORE", "TF_LOG_PATH", "TF_LOG_SDK"} {
		t.Setenv(variable, "") // restores the variable after the test
		_ = os.Unsetenv(variable)
	}
	hushFramework()
	if got := os.Getenv("TF_LOG_SDK"); got != "off" {
		t.Errorf("without a reader TF_LOG_SDK is %q", got)
	}
	_ = os.Unsetenv("TF_LOG_SDK")
	t.Setenv("TF_LOG", "TRACE")
	hushFramework()
	if got, set := os.LookupEnv("TF_LOG_SDK"); set {
		t.Errorf("with TF_LOG, TF_LOG_SDK is %q", got)
	}
}
