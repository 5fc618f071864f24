// Package fleet manages all entries below a folder. [Rotate] rotates the due tokens, by the
// schedule in each entry's custom metadata, [Audit] reports problems, and [Abandon] closes
// the entries of a PAIStrike that no longer exists.
//
// It owns the walk, the decision for each entry, and the three reports, which contain no
// secret. internal/rotation replaces individual tokens and does all writes to the store and
// PAIStrike. The action's scheduled runs use this package.
package fleet
