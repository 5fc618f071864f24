package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paistrike/terraform-provider-paistrike/internal/entry"
)

// Store keeps tokens in KV version 2. Package rotation calls it. Its revisions are KV
// version numbers.
type Store struct {
	client   *Client
	identity string
	former   []string
}

// NewStore returns the store of a client. Without an identity in the client's
// configuration, the identity is the host and port of the address, because no API
// distinguishes a restored copy of a Vault from its original.
func NewStore(client *Client) *Store {
	s := &Store{client: client, identity: client.config.Identity, former: client.config.FormerIdentities}
	if s.identity == "" {
		s.identity = IdentityOf(client.base)
	}
	return s
}

// Identity returns what distinguishes this Vault from all others.
func (s *Store) Identity() string { return s.identity }

// slots returns the slots of an entry, that of the current identity first.
func (s *Store) slots(mount Mount, at entry.Location) []string {
	var slots []string
	for _, identity := range append([]string{s.identity}, s.former...) {
		slots = append(slots, entry.Slot(identity, mount.UUID, s.client.namespace(at.Namespace), strings.Trim(at.Path, "/")))
	}
	return slices.Compact(slots)
}

// mount returns the KV version 2 engine of an entry.
func (s *Store) mount(ctx context.Context, at entry.Location) (Mount, error) {
	mount, err := s.client.Mount(ctx, at.Namespace, at.Mount)
	switch {
	case IsForbidden(err) && !isDead(err):
		return mount, s.closedMount(ctx, at, err)
	case err != nil:
		return mount, explain(err)
	case mount.KVVersion == 0:
		return mount, notKV(at)
	case mount.KVVersion == 1:
		return mount, notVersioned(at)
	case mount.UUID == "":
		return mount, noUUID(at)
	}
	ignored, err := s.client.IgnoresNamespace(ctx, at.Namespace, at.Mount)
	if ignored {
		return mount, noNamespaces(s.client.namespace(at.Namespace))
	}
	return mount, explain(err)
}

// closedMount distinguishes a mount that does not exist from one that the token may not
// see: Vault responds with 403 to both, even to a root token, until an entry of the mount
// is read.
func (s *Store) closedMount(ctx context.Context, at entry.Location, refused error) error {
	_, err := s.client.Metadata(ctx, at)
	if isNoRoute(err) {
		return noMount(at, err)
	}
	return explain(refused)
}

// Look reads metadata alone, with one request in addition to the mount, which is read
// once.
func (s *Store) Look(ctx context.Context, at entry.Location) (entry.Glance, error) {
	mount, err := s.mount(ctx, at)
	if err != nil {
		return entry.Glance{}, err
	}
	meta, err := s.client.Metadata(ctx, at)
	if err != nil {
		return entry.Glance{}, explain(err)
	}
	return entry.Glance{
		Slots: s.slots(mount, at), Identity: s.identity,
		Revision: revisionOf(meta.CurrentVersion), Follows: revisionOf(meta.CurrentVersion - 1), Condition: meta.Condition,
		Lifespan: shortest(meta.DeleteVersionAfter, mount.DeleteVersionAfter),
		Managed:  meta.Managed, Mirror: meta.Mirror, Problem: meta.MirrorProblem,
	}, nil
}

func shortest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// revisionOf returns a KV version as a revision. 0 is an entry that was never written.
func revisionOf(version int) entry.Revision {
	if version <= 0 {
		return ""
	}
	return entry.Revision(strconv.Itoa(version))
}

// versionOf parses what revisionOf returned.
func versionOf(revision entry.Revision) (int, error) {
	if revision == "" {
		return 0, nil
	}
	version, err := strconv.Atoi(string(revision))
	if err != nil || version < 1 {
		return 0, fmt.Errorf("%q is not a version of KV", revision)
	}
	return version, nil
}

// Read reads the current version with its data.
func (s *Store) Read(ctx context.Context, at entry.Location) (entry.Version, error) {
	return s.read(ctx, at, 0)
}

// After reads the version that was written on top of a revision, whether it is still
// current or not. It has the next version number.
func (s *Store) After(ctx context.Context, at entry.Location, base entry.Revision) (entry.Version, error) {
	version, err := versionOf(base)
	if err != nil {
		return entry.Version{}, err
	}
	return s.read(ctx, at, version+1)
}

func (s *Store) read(ctx context.Context, at entry.Location, number int) (entry.Version, error) {
	got, err := s.client.Read(ctx, at, number)
	if err != nil {
		return entry.Version{}, explain(err)
	}
	return entry.Version{
		Revision: revisionOf(got.Version), Follows: revisionOf(got.Version - 1), Condition: got.Condition,
		Record: got.Record, Problem: got.Problem,
		Closed: got.Managed && got.Mirror.State == entry.StateTombstone && got.Mirror.Revision == revisionOf(got.Version),
	}, nil
}

// Publish writes a record on top of a revision, once. Unless the error is
// [entry.ErrRefused], Vault may have written it, even after a 400 that the versions do not
// match: see [Store.After].
func (s *Store) Publish(ctx context.Context, at entry.Location, base entry.Revision, record entry.Record) (entry.Published, error) {
	version, err := versionOf(base)
	if err != nil {
		return entry.Published{}, err
	}
	published, err := s.client.Publish(ctx, at, version, record)
	switch {
	case IsForbidden(err):
		return entry.Published{}, errors.Join(entry.ErrRefused, writeRefused(at, err))
	case err != nil:
		return entry.Published{}, explain(err)
	case published.Version != version+1:
		return entry.Published{}, fmt.Errorf("Vault wrote version %d instead of %d", published.Version, version+1) //nolint:staticcheck // Vault is a name
	}
	return entry.Published{Revision: revisionOf(published.Version), Deletion: published.DeletionTime}, nil
}

// Describe writes the whole mirror into custom metadata with one PATCH.
func (s *Store) Describe(ctx context.Context, at entry.Location, mirror entry.Mirror) error {
	if err := s.client.Patch(ctx, at, entry.EncodeMirror(mirror)); err != nil {
		return explain(err)
	}
	return nil
}

// Close describes an entry as closed and ends its versions. If the current version is not
// the tombstone, it changes nothing and returns [entry.ErrSuperseded]. Vault can restore
// deleted versions, but not a purged entry.
func (s *Store) Close(ctx context.Context, at entry.Location, tombstone entry.Revision, mirror entry.Mirror, how entry.Ending) error {
	meta, err := s.client.Metadata(ctx, at)
	switch {
	case err != nil:
		return explain(err)
	case meta.CurrentVersion == 0:
		return nil // already purged
	case revisionOf(meta.CurrentVersion) != tombstone:
		return entry.ErrSuperseded
	}
	if how == entry.EndPurge {
		return explain(s.client.Purge(ctx, at))
	}
	if !meta.Mirror.Says(mirror) {
		if err := s.Describe(ctx, at, mirror); err != nil {
			return err
		}
	}
	if how == entry.EndKeep {
		return nil
	}
	return explain(s.client.Delete(ctx, at, meta.Versions))
}

// Check finds out, before a token is minted, what would prevent its publication: a missing
// capability, or a Vault token that expires before the work is done.
func (s *Store) Check(ctx context.Context, at entry.Location, base entry.Revision, needed time.Duration) error {
	data, meta := at.Mount+"/data/"+at.Path, at.Mount+"/metadata/"+at.Path
	has, err := s.client.Capabilities(ctx, at.Namespace, data, meta)
	switch {
	case IsForbidden(err) && !isDead(err):
		// Without the policy "default", a token may not query its capabilities. Try
		// instead.
		if err := s.probe(ctx, at); err != nil {
			return err
		}
	case err != nil:
		return explain(err)
	default:
		needs := []string{"create", "update"}
		if base != "" {
			needs = []string{"update"}
		}
		if missing := lacking(has[data], needs); len(missing) > 0 {
			return lacksCapabilities(data, missing, has[data])
		}
		if missing := lacking(has[meta], []string{"patch"}); len(missing) > 0 {
			return lacksCapabilities(meta, missing, has[meta])
		}
	}
	life, err := s.client.TokenLife(ctx)
	if err != nil {
		return explain(err)
	}
	return life.enough(needed)
}

// probe finds out whether Vault permits both writes of a publication, without making them.
func (s *Store) probe(ctx context.Context, at entry.Location) error {
	if err := s.client.ProbeData(ctx, at); err != nil {
		if IsForbidden(err) && !isDead(err) {
			return writeRefused(at, err)
		}
		return explain(err)
	}
	return explain(s.client.ProbeMetadata(ctx, at))
}

func lacking(has, needs []string) []string {
	if slices.Contains(has, "root") || slices.Contains(has, "sudo") {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(needs), func(need string) bool { return slices.Contains(has, need) })
}

// Now returns Vault's clock. If Vault is sealed, the error is [entry.ErrUnavailable]. A
// Vault that does not report its time is not unavailable.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	now, err := s.client.ServerTime(ctx)
	if IsSealed(err) {
		return time.Time{}, errors.Join(entry.ErrUnavailable, explain(err))
	}
	if err != nil {
		return time.Time{}, explain(err)
	}
	return now, nil
}

// List returns the entries directly below a folder and the folders in it.
func (s *Store) List(ctx context.Context, folder entry.Location) (entries, folders []entry.Location, err error) {
	if _, err := s.mount(ctx, folder); err != nil {
		return nil, nil, err
	}
	names, err := s.client.List(ctx, folder.Namespace, folder.Mount, folder.Path)
	if err != nil {
		return nil, nil, explain(err)
	}
	for _, name := range names {
		at := folder.Entry()
		at.Path = strings.TrimPrefix(strings.Trim(folder.Path, "/")+"/"+name, "/")
		if inner, isFolder := strings.CutSuffix(at.Path, "/"); isFolder {
			at.Path = inner
			folders = append(folders, at)
			continue
		}
		entries = append(entries, at)
	}
	return entries, folders, nil
}
