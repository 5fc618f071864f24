package rotation_test

// mutantsOfAbandon break the rules of closing an entry without PAIStrike.
func mutantsOfAbandon() []mutant {
	const file = "abandon.go"
	return []mutant{
		{"abandon by an engine that calls PAIStrike", file, "if !e.Unasked() {", "if false {", "^TestAbandonNeverAsks$"},
		{"abandon the entry of another PAIStrike", file,
			"case o.endpoint() != \"\" && o.endpoint() != endpoint:", "case false:", "^TestWhatIsNotAbandoned$"},
		{"abandon what someone wrote by hand", file,
			"case o.kind == kindForeign, o.kind == kindBroken && o.version.Condition == entry.Live:", "case o.kind == kindForeign:", "^TestWhatIsNotAbandoned$"},
		{"name the tokens of a destroyed entry", file,
			"case o.record() == nil, standing == StandingClosed && !isNotRevoked(o.Mirror.LastError):", "case o.record() == nil:", "^TestWhatIsNotAbandoned$"},
		{"leave an entry half abandoned", file,
			"case o.kind == kindVacant && (o.record() == nil || o.mirrorsTombstone()):", "case o.kind == kindVacant:", "^TestAbandonConvergesAfterAKill$"},
		{"forget tokens that the record does not name", file,
			"if err := e.tombstone(critical, &o, o.namedBeside()); err != nil {", "if err := e.tombstone(critical, &o, nil); err != nil {", "^TestAbandonNamesTokensThatMetadataAloneKnows$"},
	}
}
