package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Every input is answered: nothing panics, and no invalid input is accepted.

func FuzzSignature(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=A/20261128/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20261128T120000Z", "a=b&a=c")
	f.Add("AWS4-HMAC-SHA256 ", "", "")
	f.Add(" ", "2026", "%")
	f.Fuzz(func(t *testing.T, header, date, query string) {
		s, err := parseSignature(header)
		if err != nil {
			return
		}
		r := &http.Request{Method: http.MethodPost, Host: "127.0.0.1", Header: http.Header{"X-Amz-Date": {date}}, URL: mustURL(query)}
		if s.verify(r, nil, adminSecret, secretsManager, noon) == nil {
			t.Errorf("%q was taken", header)
		}
	})
}

func FuzzPolicy(f *testing.F) {
	f.Add(statements(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:StringNotLikeIfExists":{"a":["${b, 'c'}","*"]}}}`), "a:b", "x")
	f.Add(statements(`{"Effect":"Allow","NotAction":["a:b"],"NotResource":"arn:a:b:c:d:${"}`), "a:b", "arn:a:b:c:d:e")
	f.Fuzz(func(t *testing.T, text, action, resource string) {
		var p policy
		if decodeStrictly([]byte(text), &p) != nil || p.check(false) != nil {
			return
		}
		keys := conditionKeys{}
		keys.add("a", resource, action)
		evaluate([]policy{p}, ask{action: action, resource: resource, keys: keys})
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("*", "")
	f.Add("${*}", "*")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if got := glob(pattern+"*", text); glob(pattern, text) && !got {
			t.Errorf("%q matches %q, and with a star it does not", pattern, text)
		}
		if plain := !strings.ContainsAny(text, "*?$"); plain && !glob(text, text) {
			t.Errorf("%q does not match itself", text)
		}
	})
}

func FuzzIdentityToken(f *testing.F) {
	f.Add("e30.e30.")
	f.Add(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(`{"iss":"x","exp":1e400,"aud":[1]}`)) + ".AA")
	i := &identities{issuers: map[string]issuer{"x": {URL: "x"}}}
	f.Fuzz(func(t *testing.T, token string) {
		if _, _, err := i.verifyToken(token, noon); err == nil {
			t.Errorf("%q was taken", token)
		}
	})
}

func FuzzWanted(f *testing.F) {
	f.Add("ci/a")
	f.Add("arn:aws:secretsmanager:eu-central-1:123456789012:secret:ci/a-AbCdEf")
	here := place{account: "123456789012", region: home}
	f.Fuzz(func(t *testing.T, id string) {
		w, err := here.want(id)
		if err == nil && w.arn == "" && w.name == "" && id != here.arn("") {
			t.Errorf("%q asks for nothing", id)
		}
	})
}

func mustURL(query string) *url.URL { return &url.URL{Path: "/", RawQuery: query} }
