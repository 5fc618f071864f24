package sandbox

import (
	"net"
	"net/http"
	"strings"
)

// localHost reports whether a Host header names this machine. With DNS rebinding, a foreign
// page points its own name at 127.0.0.1 and makes a browser call the sandbox; the Host header
// then contains the foreign name.
func localHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// refuseHost returns the answer to a foreign Host header.
func refuseHost() problem {
	return problem{Status: http.StatusForbidden, Code: "foreign_host", Detail: "the sandbox answers to localhost and loopback addresses only"}
}

// sameSite rejects requests that a browser sends on behalf of another site's page.
func sameSite(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		problem{Status: http.StatusForbidden, Code: "cross_site", Detail: "the sandbox is not controlled from another site's page"}.write(w)
	}))
	return protection.Handler(next)
}
