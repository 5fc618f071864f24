package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	amzTime   = "20060102T150405Z"
	maxSkew   = 5 * time.Minute
)

// signature is a parsed Authorization header (AWS Signature Version 4).
type signature struct {
	accessKeyID           string
	date, region, service string // scope of the credential
	headers               []string
	hex                   string
}

// parseSignature parses "AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request,
// SignedHeaders=a;b, Signature=HEX".
func parseSignature(header string) (signature, error) {
	var s signature
	if header == "" {
		return s, refuse(missingToken, "Missing Authentication Token")
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		algorithm, _, _ := strings.Cut(header, " ")
		return s, refuse(incomplete, "Unsupported AWS 'algorithm': '%s'", algorithm)
	}
	given := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		given[name] = value
	}
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if given[name] == "" {
			return s, refuse(incomplete, "Authorization header requires '%s' parameter.", name)
		}
	}
	scope := strings.Split(given["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return s, refuse(incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", given["Credential"])
	}
	s = signature{
		accessKeyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		headers: strings.Split(given["SignedHeaders"], ";"), hex: given["Signature"],
	}
	return s, nil
}

// verify compares the signature with the expected one. Host, the date and all other X-Amz
// headers must be signed.
func (s signature) verify(r *http.Request, body []byte, secretKey, service string, now time.Time) error {
	if s.service != service {
		return refuse(invalidSignature, "Credential should be scoped to correct service: '%s'.", service)
	}
	stamp := r.Header.Get("X-Amz-Date")
	signedAt, err := time.Parse(amzTime, stamp)
	if err != nil {
		return refuse(incomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if !strings.HasPrefix(stamp, s.date) {
		return refuse(invalidSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.", s.date, stamp[:8])
	}
	if err := checkSkew(signedAt, now); err != nil {
		return err
	}
	if !slices.Contains(s.headers, "host") {
		return refuse(invalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") && !slices.Contains(s.headers, lower) {
			return refuse(invalidSignature, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	payload := hashHex(body)
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != payload {
		return refuse(invalidSignature, "The value of x-amz-content-sha256 header is invalid.")
	}
	request := canonicalRequest(r, s.headers, payload)
	if want := s.sign(secretKey, stamp, request); !hmac.Equal([]byte(want), []byte(s.hex)) {
		return refuse(invalidSignature, "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// checkSkew rejects a request that was signed more than five minutes before or after the
// server's time.
func checkSkew(signedAt, now time.Time) error {
	now = now.Truncate(time.Second)
	first, last := now.Add(-maxSkew), now.Add(maxSkew)
	if signedAt.Before(first) {
		return refuse(invalidSignature, "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			signedAt.Format(amzTime), first.Format(amzTime), now.Format(amzTime))
	}
	if signedAt.After(last) {
		return refuse(invalidSignature, "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			signedAt.Format(amzTime), last.Format(amzTime), now.Format(amzTime))
	}
	return nil
}

// canonicalRequest returns the text that is signed.
func canonicalRequest(r *http.Request, headers []string, payload string) string {
	var b strings.Builder
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range headers {
		b.WriteString(name + ":" + headerValue(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(headers, ";") + "\n" + payload)
	return b.String()
}

// headerValue returns a header for signing. net/http stores two headers elsewhere.
func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	var values []string
	for _, value := range r.Header.Values(name) {
		values = append(values, strings.Join(strings.Fields(value), " "))
	}
	return strings.Join(values, ",")
}

func canonicalQuery(query url.Values) string {
	var pairs []string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape encodes text as in RFC 3986: a space becomes %20.
func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// sign returns the signature of a canonical request in hexadecimal.
func (s signature) sign(secretKey, stamp, request string) string {
	key := []byte("AWS4" + secretKey)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request"} {
		key = mac(key, part)
	}
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	return hex.EncodeToString(mac(key, strings.Join([]string{algorithm, stamp, scope, hashHex([]byte(request))}, "\n")))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hashHex(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
