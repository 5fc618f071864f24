package rotation_test

// mutantsOfAWS break the rules that only AWS Secrets Manager needs: staging labels,
// version IDs that a run chooses, and the recovery window.
func mutantsOfAWS() []mutant {
	const publish = "../store/aws/publish.go"
	const thenPutAgain = "; err != nil && !isRefusal(err) {\n\t\t\tid += \"again\"\n\t\t\t_, err = s.put(ctx, at, id, value, current)\n\t\t}"
	return []mutant{
		{"move the label from what is current by now", publish,
			"RemoveFromVersionId: given(string(base)), MoveToVersionId: sdk.String(id),",
			"RemoveFromVersionId: func() *string { d, _ := s.describe(ctx, at); return given(string(d.current)) }(), MoveToVersionId: sdk.String(id),", byHandOnAWS},
		{"put a version that is current at once", publish,
			"SecretString: sdk.String(value), VersionStages: []string{label},",
			"SecretString: sdk.String(value),", byHandOnAWS},
		{"take a version that was put for a published one", publish,
			`if base == "" && slices.Contains(labels, current) {`,
			"if labels != nil {", bySingles + "/^aws$/^rotate$"},
		{"share the version id with other runs", publish,
			`return fmt.Sprintf("paistrike-%014d-%s", record.Gen, record.Op)`,
			`return fmt.Sprintf("paistrike-%014d-%s", record.Gen, "shared-by-all")`, bySingles + "/^aws$/^rotate$"},
		{"take a label that was moved back for a publication", "../store/aws/store.go",
			"v.Follows = d.previous", "v.Follows = d.previous\n\t\tif v.Record != nil {\n\t\t\tv.Follows = v.Record.Base\n\t\t}", "^TestHumanRollbackIsNeverSweptAgainst$/^aws$"},
		{"overwrite AWSPREVIOUS in a retry", publish,
			"\terr = s.commit(ctx, at, from, id)\n", "\tif err = s.commit(ctx, at, from, id)" + thenPutAgain + "\n", "^TestAWSPreviousKeepsTheFormerToken$"},
		{"take what cannot be read yet for another run's", publish,
			"if d.condition() == entry.Live {", "if false {", "^TestAVersionThatCannotBeReadYetIsNobodys$/^json$"},
		{"take a version whose record cannot be read yet for a person's", publish,
			"if newest.Record == nil && ourVersion.MatchString(string(newest.Revision)) {", "if false {", "^TestAVersionThatCannotBeReadYetIsNobodys$/^record"},
		{"serve the record of a plain value", "../store/aws/format.go",
			"return strings.HasSuffix(string(id), recordEnding)", "return false", bySingles + "/^aws%20plain$/^first%20create$"},
		{"publish into a deleted secret", publish,
			"return s.restore(ctx, at, d)", "return nil", bySingles + "/^aws$/^restore$"},
		{"believe that a restore failed", publish,
			"if isRefusal(err) {\n\t\treturn explain(err)\n\t}\n\tnow, unknown := s.describe(ctx, at)",
			"if err != nil {\n\t\treturn explain(err)\n\t}\n\tnow, unknown := s.describe(ctx, at)", bySingles + "/^aws$/^restore$"},
		{"delete what a person wrote after the tombstone", "../store/aws/close.go",
			"if err != nil || !d.exists || d.current == tombstone {", "if true {", bySingles + "/^aws$/^destroy$"},
	}
}
