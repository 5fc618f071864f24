package job

import (
	"regexp"
	"slices"
	"strings"
)

var envNamePattern = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)

// checkEnvName returns why a token must not be exported under a name, or "" if it may be. A
// variable that changes how programs run, or where they send data, must not contain a token.
func checkEnvName(name string) string {
	if !envNamePattern.MatchString(name) || len(name) > 100 {
		return "must consist of uppercase letters, digits and underscores"
	}
	for _, prefix := range []string{
		"GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "STATE_", "LD_", "DYLD_", "BASH_", "NODE_", "NPM_", "PYTHON", "PERL", "RUBY",
		"GIT_", "SSH_", "SSL_", "CURL_", "DOCKER_", "JAVA_", "JDK_", "_JAVA", "MAVEN_", "GRADLE_", "DOTNET_", "COR_", "CORECLR_",
		"GO", "CARGO_", "RUST", "LC_", "VAULT_", "TF_", "AWS_", "AZURE_", "GOOGLE_",
	} {
		if strings.HasPrefix(name, prefix) {
			return "must not begin with " + prefix + ", because such variables change how programs run"
		}
	}
	if slices.Contains([]string{
		"PATH", "HOME", "SHELL", "IFS", "PWD", "OLDPWD", "USER", "LOGNAME", "TMPDIR", "TEMP", "TMP", "ENV", "PS4", "CDPATH", "GLOBIGNORE",
		"SHELLOPTS", "PROMPT_COMMAND", "CLASSPATH", "CI", "ACT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "COMSPEC", "PATHEXT",
		"SYSTEMROOT", "WINDIR", "MAKEFLAGS", "CC", "CXX", "CFLAGS", "LDFLAGS", "EDITOR", "VISUAL", "PAGER", "LESSOPEN", "LANG", "TZ", "TERM",
		"OPENSSL_CONF", "REQUESTS_CA_BUNDLE", "KUBECONFIG", "PSMODULEPATH",
	}, name) {
		return "must not be " + name + ", because it changes how programs run"
	}
	return ""
}
