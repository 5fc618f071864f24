package paistrike

import (
	"net/http"
	"strings"
)

// Auth configures how a request sends the token. The zero value means "Authorization:
// Bearer TOKEN".
type Auth struct {
	// Header is the name of the header. "" means Authorization.
	Header string `json:"header"`
	// Scheme precedes the token. "" means Bearer in Authorization and nothing in any other
	// header. "-" means nothing.
	Scheme string `json:"scheme"`
}

// Validate checks the header and the scheme. Its error is a [*SettingError].
func (a Auth) Validate() error {
	wrong := func(problem string) error { return &SettingError{"auth", problem} }
	header := a.header()
	if !isHeaderName(header) {
		return wrong("header is not a valid header name")
	}
	if canonical := http.CanonicalHeaderKey(header); canonical != "Authorization" {
		if checkHeader(header, "x") != nil || canonical == "User-Agent" || canonical == "Cookie" {
			return wrong("header cannot be used for the token")
		}
	}
	if scheme := a.scheme(); scheme != "" && !isHeaderName(scheme) {
		return wrong("scheme must be one word, such as Bearer, or -")
	}
	return nil
}

func (a Auth) header() string {
	if a.Header == "" {
		return "Authorization"
	}
	return a.Header
}

func (a Auth) scheme() string {
	switch {
	case a.Scheme == none, a.Scheme == "" && !strings.EqualFold(a.header(), "Authorization"):
		return ""
	case a.Scheme == "":
		return "Bearer"
	}
	return a.Scheme
}

// value returns the value of the header for a token.
func (a Auth) value(token string) string {
	if scheme := a.scheme(); scheme != "" {
		return scheme + " " + token
	}
	return token
}
