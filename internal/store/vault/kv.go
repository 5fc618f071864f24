package vault

import (
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
	"github.com/paistrike/terraform-provider-paistrike/internal/secret"
)

// Metadata is the part of an entry that Vault shows without its data.
type Metadata struct {
	// Exists is false if Vault knows no such key.
	Exists         bool
	CurrentVersion int // 0 if nothing was ever written
	Condition      entry.Condition
	// DeleteVersionAfter is the entry's own setting, or 0 for none.
	DeleteVersionAfter time.Duration

	// Managed is true if custom_metadata marks the entry as ours.
	Managed bool
	Mirror  entry.Mirror
	// MirrorProblem is a [*entry.MirrorError] or a [*entry.SchemaError] if Managed is true
	// and the mirror cannot be decoded.
	MirrorProblem error
	// Versions are the versions with readable data, oldest first.
	Versions []int
	Custom   map[string]string
}

// Entry is one KV version with its data.
type Entry struct {
	Version   int // 0 if Condition is [Absent]
	Condition entry.Condition
	// Record is nil unless the version is live and contains a record.
	Record *entry.Record
	// Problem is a [*entry.ForeignError] or a [*entry.SchemaError] if the version is live
	// and does not contain a record that can be decoded.
	Problem error
	// Managed and Mirror come from custom_metadata, which describes the entry and not this
	// version.
	Managed bool
	Mirror  entry.Mirror

	DeletionTime time.Time // zero if never; may be in the future
}

// Published is the version that a write created.
type Published struct {
	Version      int
	DeletionTime time.Time // zero if never
}

// version is Vault's description of a KV version.
type version struct {
	Version        int               `json:"version"`
	DeletionTime   string            `json:"deletion_time"`
	Destroyed      bool              `json:"destroyed"`
	CustomMetadata map[string]string `json:"custom_metadata"`
}

// condition returns the condition of a version as Vault sees it: a deletion time may be in
// the future, by Vault's clock, which is the Date of the response.
func (v version) condition(now time.Time) entry.Condition {
	deletion := timeOf(v.DeletionTime)
	switch {
	case v.Destroyed:
		return entry.Destroyed
	case deletion.IsZero() || now.Before(deletion) && !now.IsZero():
		return entry.Live
	default:
		return entry.Deleted
	}
}

// Metadata reads what Vault shows of an entry. A key that does not exist is not an error.
func (c *Client) Metadata(ctx context.Context, at entry.Location) (Metadata, error) {
	r, err := c.request(at, "reading", http.MethodGet, "metadata")
	if err != nil {
		return Metadata{}, err
	}
	got, err := c.do(ctx, r)
	if IsNotFound(err) {
		return Metadata{Condition: entry.Absent}, nil
	}
	if err != nil {
		return Metadata{}, err
	}
	data, err := decode[struct {
		CurrentVersion     int                `json:"current_version"`
		DeleteVersionAfter duration           `json:"delete_version_after"`
		CustomMetadata     map[string]string  `json:"custom_metadata"`
		Versions           map[string]version `json:"versions"`
	}](r, got)
	if err != nil {
		return Metadata{}, err
	}
	m := Metadata{
		Exists: true, CurrentVersion: data.CurrentVersion, Condition: entry.Absent,
		DeleteVersionAfter: time.Duration(data.DeleteVersionAfter), Custom: data.CustomMetadata,
	}
	now := dateOf(got)
	if current, ok := data.Versions[strconv.Itoa(data.CurrentVersion)]; ok {
		m.Condition = current.condition(now)
	}
	for name, v := range maps.All(data.Versions) {
		if number, err := strconv.Atoi(name); err == nil && v.condition(now) == entry.Live {
			m.Versions = append(m.Versions, number)
		}
	}
	slices.Sort(m.Versions)
	m.Managed, m.Mirror, m.MirrorProblem = entry.ReadMirror(m.Custom)
	return m, nil
}

// Read reads one version with its data. 0 means the current one. A version that is absent,
// deleted or destroyed is not an error, and neither is data that is not a record: see
// [Entry].
func (c *Client) Read(ctx context.Context, at entry.Location, number int) (Entry, error) {
	r, err := c.request(at, "reading", http.MethodGet, "data")
	if err != nil {
		return Entry{}, err
	}
	if number > 0 {
		r.query = url.Values{"version": {strconv.Itoa(number)}}
	}
	got, err := c.do(ctx, r)
	unreadable := IsNotFound(err) // the 404 for a deleted version still describes it
	if err != nil && !unreadable {
		return Entry{}, err
	}
	data, err := decode[struct {
		Data     map[string]any `json:"data"`
		Metadata *version       `json:"metadata"`
	}](r, got)
	switch {
	case unreadable && (err != nil || data.Metadata == nil):
		return Entry{Condition: entry.Absent}, nil //nolint:nilerr // a 404 that describes no version
	case err != nil:
		return Entry{}, err
	case data.Metadata == nil:
		return Entry{}, r.failed(errors.New("the answer is not that of KV v2"))
	}
	v := *data.Metadata
	e := Entry{Version: v.Version, Condition: entry.Live, DeletionTime: timeOf(v.DeletionTime)}
	e.Managed, e.Mirror, _ = entry.ReadMirror(v.CustomMetadata)
	if unreadable {
		e.Condition = entry.Deleted
		if v.Destroyed {
			e.Condition = entry.Destroyed
		}
		return e, nil
	}
	record, problem := entry.DecodeRecord(at.Key, data.Data)
	if problem != nil {
		e.Problem = problem
	} else {
		e.Record = &record
	}
	return e, nil
}

// Publish writes a record as the version after cas, once. After any error but a 403, Vault
// may have written it, even after a 400 that the versions do not match. Read version cas+1
// to find out.
func (c *Client) Publish(ctx context.Context, at entry.Location, cas int, record entry.Record) (Published, error) {
	r, err := c.request(at, "writing", http.MethodPut, "data")
	if err != nil {
		return Published{}, err
	}
	data, err := entry.EncodeRecord(at.Key, record)
	if err != nil {
		return Published{}, r.failed(err)
	}
	r.once, r.secrets = true, []secret.Secret{record.Secret}
	r.body = map[string]any{"data": data, "options": map[string]any{"cas": cas}}
	got, err := c.do(ctx, r)
	if err != nil {
		return Published{}, err
	}
	v, err := decode[version](r, got)
	if err == nil && v.Version <= 0 {
		err = r.failed(errors.New("the answer names no version"))
	}
	return Published{Version: v.Version, DeletionTime: timeOf(v.DeletionTime)}, err
}

// Patch merges into custom_metadata: other keys stay, and a key with the value "" is
// removed. It can be repeated without changing the result, so it is retried like a read.
// The entry must exist.
func (c *Client) Patch(ctx context.Context, at entry.Location, custom map[string]string) error {
	r, err := c.request(at, "patching", http.MethodPatch, "metadata")
	if err != nil {
		return err
	}
	merge := make(map[string]any, len(custom))
	for key, value := range custom {
		merge[key] = value
		if value == "" { // Vault rejects empty values; null removes the key
			merge[key] = nil
		}
	}
	r.mediaType = mergePatch
	r.body = map[string]any{"custom_metadata": merge}
	_, err = c.do(ctx, r)
	return err
}

const mergePatch = "application/merge-patch+json"

// noVersion is a version that no entry ever has.
const noVersion = math.MaxInt32

// ProbeData finds out whether Vault permits a publication, for a token that may not query
// its capabilities: it writes on top of a version that never exists. nil means that Vault
// rejected only the version.
func (c *Client) ProbeData(ctx context.Context, at entry.Location) error {
	r, err := c.request(at, "writing", http.MethodPut, "data")
	if err != nil {
		return err
	}
	r.once = true
	r.body = map[string]any{"data": map[string]any{}, "options": map[string]any{"cas": noVersion}}
	_, err = c.do(ctx, r)
	switch {
	case err == nil:
		return r.failed(errors.New("Vault ignores check-and-set")) //nolint:staticcheck // Vault is a name
	case StatusOf(err) == http.StatusBadRequest && !isDead(err):
		return nil
	}
	return err
}

// ProbeMetadata is [Client.ProbeData] for a patch of metadata. The patch contains no key.
func (c *Client) ProbeMetadata(ctx context.Context, at entry.Location) error {
	err := c.Patch(ctx, at, nil)
	if IsNotFound(err) { // it is permitted, and there is no entry yet
		return nil
	}
	return err
}

// Delete hides the data of the given versions. Vault can undo that.
func (c *Client) Delete(ctx context.Context, at entry.Location, versions []int) error {
	r, err := c.request(at, "deleting versions at", http.MethodPost, "delete")
	if err != nil || len(versions) == 0 {
		return err
	}
	r.body = map[string]any{"versions": versions}
	_, err = c.do(ctx, r)
	return err
}

// Purge removes the entry with all its versions and metadata, once. The next write creates
// version 1 again.
func (c *Client) Purge(ctx context.Context, at entry.Location) error {
	r, err := c.request(at, "removing", http.MethodDelete, "metadata")
	if err != nil {
		return err
	}
	r.once = true
	_, err = c.do(ctx, r)
	return err
}

// List returns the names directly below prefix. The names of folders end in "/". A folder
// that does not exist is empty.
func (c *Client) List(ctx context.Context, namespace, mount, prefix string) ([]string, error) {
	r := request{
		op: "listing", method: http.MethodGet, query: url.Values{"list": {"true"}},
		path: strings.TrimSuffix(strings.Trim(mount, "/")+"/metadata/"+strings.Trim(prefix, "/"), "/"), namespace: c.namespace(namespace),
	}
	if err := checkPath(r.path); err != nil {
		return nil, r.failed(err)
	}
	got, err := c.do(ctx, r)
	if IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := decode[struct{ Keys []string }](r, got)
	return data.Keys, err
}

// request returns a request for an entry.
func (c *Client) request(at entry.Location, op, method, part string) (request, error) {
	mount, path := strings.Trim(at.Mount, "/"), strings.Trim(at.Path, "/")
	r := request{op: op, method: method, path: mount + "/" + part + "/" + path, namespace: c.namespace(at.Namespace)}
	if err := checkPath(r.path); err != nil {
		return r, r.failed(err)
	}
	return r, nil
}

// timeOf parses a time of KV version 2. It returns zero for "" and for anything invalid.
func timeOf(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// dateOf returns the server's clock when it responded, or zero without a Date header. The
// header omits the fraction of the second, so dateOf returns the end of the second: a
// version that was deleted a moment ago counts as deleted.
func dateOf(got answer) time.Time {
	t, err := http.ParseTime(got.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t.Add(time.Second)
}
