package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// verifier is a public key of an issuer.
type verifier struct {
	id  string
	key crypto.PublicKey
}

// readJWKS decodes RSA and P-256 keys (RFC 7517).
func readJWKS(text []byte) ([]verifier, error) {
	var set struct {
		Keys []struct {
			Kty, Kid, Crv, N, E, X, Y string
		}
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("reading the JWKS: %w", err)
	}
	var keys []verifier
	for _, k := range set.Keys {
		var key crypto.PublicKey
		switch {
		case k.Kty == "RSA":
			key = &rsa.PublicKey{N: new(big.Int).SetBytes(number(k.N)), E: int(new(big.Int).SetBytes(number(k.E)).Int64())}
		case k.Kty == "EC" && k.Crv == "P-256":
			// 4 means uncompressed: both coordinates follow, 32 bytes each (RFC 7518).
			point := slices.Concat([]byte{4}, number(k.X), number(k.Y))
			var err error
			if key, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil {
				return nil, fmt.Errorf("reading the JWKS: key %s: %w", k.Kid, err)
			}
		default:
			return nil, fmt.Errorf("reading the JWKS: key %s is neither RSA nor P-256", k.Kid)
		}
		keys = append(keys, verifier{id: k.Kid, key: key})
	}
	if keys == nil {
		return nil, errors.New("reading the JWKS: there is no key")
	}
	return keys, nil
}

// number decodes a number in a JWK. It returns nil, which is not a valid key, if text is
// invalid.
func number(text string) []byte {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return bytes
}

// claims are the claims of a verified token.
type claims map[string]any

// text returns a claim as text, or "" if it is absent or has another type.
func (c claims) text(name string) string {
	switch value := c[name].(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	}
	return ""
}

// texts returns a claim that may be a list.
func (c claims) texts(name string) []string {
	many, ok := c[name].([]any)
	if !ok {
		if one := c.text(name); one != "" {
			return []string{one}
		}
		return nil
	}
	var list []string
	for _, one := range many {
		if text, ok := one.(string); ok {
			list = append(list, text)
		}
	}
	return list
}

func (c claims) time(name string) time.Time {
	number, ok := c[name].(json.Number)
	if !ok {
		return time.Time{}
	}
	seconds, _ := number.Float64()
	return time.Unix(int64(seconds), 0).UTC()
}

// Errors of AssumeRoleWithWebIdentity, which are specific to STS.
const (
	invalidIdentityToken = "InvalidIdentityToken"
	idpRejectedClaim     = "IDPRejectedClaim"
)

// verifyToken verifies an identity token: its issuer, signature, times and audience.
func (i *identities) verifyToken(token string, now time.Time) (claims, issuer, error) {
	parts := strings.Split(token, ".")
	var header struct{ Alg, Kid string }
	var body claims
	if len(parts) != 3 || decodePart(parts[0], &header) != nil || decodePart(parts[1], &body) != nil {
		return nil, issuer{}, refuse(invalidIdentityToken, "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	from, ok := i.issuer(body.text("iss"))
	if !ok {
		return nil, from, refuse(invalidIdentityToken, "No OpenIDConnect provider found in your account for %s", body.text("iss"))
	}
	sent, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !from.signed(header.Alg, header.Kid, parts[0]+"."+parts[1], sent) {
		return nil, from, refuse(invalidIdentityToken, "Couldn't retrieve verification key from your identity provider, or the token's signature does not match it")
	}
	exp, nbf := body.time("exp"), body.time("nbf")
	switch {
	case exp.IsZero():
		return nil, from, refuse(invalidIdentityToken, "Missing a required claim: exp")
	case !now.Before(exp):
		return nil, from, refuse(expiredCredential, "Token expired: current date/time %d must be before the expiration date/time %d", now.Unix(), exp.Unix())
	case nbf.After(now.Add(maxSkew)):
		return nil, from, refuse(invalidIdentityToken, "Token is not valid yet: current date/time %d, not before %d", now.Unix(), nbf.Unix())
	case !slices.ContainsFunc(body.texts("aud"), func(aud string) bool { return slices.Contains(from.Audiences, aud) }):
		return nil, from, refuse(invalidIdentityToken, "Incorrect token audience")
	case body.text("sub") == "":
		return nil, from, refuse(idpRejectedClaim, "Missing a required claim: sub")
	}
	return body, from, nil
}

func decodePart(text string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// signed reports whether one of the issuer's keys made the signature. The key determines the
// algorithm, not the token.
func (i issuer) signed(alg, kid, text string, signature []byte) bool {
	sum := sha256.Sum256([]byte(text))
	return slices.ContainsFunc(i.keys, func(v verifier) bool {
		if kid != "" && v.id != kid {
			return false
		}
		switch key := v.key.(type) {
		case *rsa.PublicKey:
			return alg == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
		case *ecdsa.PublicKey:
			return alg == "ES256" && len(signature) == 64 &&
				ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
		}
		return false
	})
}

// host returns the issuer without its scheme, as in policies.
func (i issuer) host() string {
	at, err := url.Parse(i.URL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(at.Host+at.Path, "/")
}

// conditionKeys returns the claims that a trust policy can use: aud, sub and amr of every
// issuer, and the claims of GitHub's tokens that STS supports.
func (c claims) conditionKeys(host string) conditionKeys {
	keys := conditionKeys{}
	for _, name := range []string{"sub", "amr"} {
		keys.add(host+":"+name, c.texts(name)...)
	}
	if azp := c.text("azp"); azp != "" { // IAM: "aud" is azp if the token has one
		keys.add(host+":aud", azp)
		keys.add(host+":oaud", c.texts("aud")...)
	} else {
		keys.add(host+":aud", c.texts("aud")...)
	}
	for _, name := range []string{
		"actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref",
		"ref", "repository", "repository_id", "workflow",
	} {
		keys.add(host+":"+name, c.texts(name)...)
	}
	return keys
}
