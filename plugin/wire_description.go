package plugin

import pb "github.com/narthex/narthex/plugin/persisterpb"

func descriptionToWire(d Description) *pb.Description {
	return &pb.Description{
		Name:         d.Name,
		Version:      d.Version,
		Contract:     int64(d.Contract),
		ValueTypes:   texts[string](d.ValueTypes),
		Limits:       limitsToWire(d.Limits),
		Capabilities: texts[string](d.Capabilities),
		Withheld:     texts[string](d.Withheld),
	}
}

func descriptionFromWire(w *pb.Description) Description {
	return Description{
		Name:         w.GetName(),
		Version:      w.GetVersion(),
		Contract:     int(w.GetContract()),
		ValueTypes:   texts[ValueType](w.GetValueTypes()),
		Limits:       limitsFromWire(w.GetLimits()),
		Capabilities: texts[Capability](w.GetCapabilities()),
		Withheld:     texts[Capability](w.GetWithheld()),
	}
}

func limitsToWire(l Limits) *pb.Limits {
	return &pb.Limits{
		MaxValueBytes:    int64(l.MaxValueBytes),
		MaxAttributes:    int64(l.MaxAttributes),
		MaxKeys:          int64(l.MaxKeys),
		MaxPasswordBytes: int64(l.MaxPasswordBytes),
	}
}

func limitsFromWire(w *pb.Limits) Limits {
	return Limits{
		MaxValueBytes:    int(w.GetMaxValueBytes()),
		MaxAttributes:    int(w.GetMaxAttributes()),
		MaxKeys:          int(w.GetMaxKeys()),
		MaxPasswordBytes: int(w.GetMaxPasswordBytes()),
	}
}

func listQueryToWire(q ListQuery) *pb.ListQuery {
	return &pb.ListQuery{After: q.After, Limit: int64(q.Limit)}
}

func listQueryFromWire(w *pb.ListQuery) ListQuery {
	return ListQuery{After: w.GetAfter(), Limit: int(w.GetLimit())}
}

func pageToWire(p Page) *pb.Page {
	return &pb.Page{Accounts: list(p.Accounts, accountToWire), Next: p.Next}
}

func pageFromWire(w *pb.Page) Page {
	return Page{Accounts: list(w.GetAccounts(), accountFromWire), Next: w.GetNext()}
}

func maintainReportToWire(r MaintainReport) *pb.MaintainReport {
	return &pb.MaintainReport{Finished: int64(r.Finished), Removed: int64(r.Removed), More: r.More}
}

func maintainReportFromWire(w *pb.MaintainReport) MaintainReport {
	return MaintainReport{Finished: int(w.GetFinished()), Removed: int(w.GetRemoved()), More: w.GetMore()}
}

func useToWire(u AttributeUse) *pb.AttributeUse {
	return &pb.AttributeUse{
		Item: u.Item, Flow: u.Flow, Step: u.Step, Attribute: u.Attribute, Type: string(u.Type),
		MaxBytes: int64(u.MaxBytes), Required: u.Required, Key: string(u.Key), Encoding: string(u.Encoding),
	}
}

func useFromWire(w *pb.AttributeUse) AttributeUse {
	return AttributeUse{
		Item: w.GetItem(), Flow: w.GetFlow(), Step: w.GetStep(), Attribute: w.GetAttribute(), Type: ValueType(w.GetType()),
		MaxBytes: int(w.GetMaxBytes()), Required: w.GetRequired(), Key: KeyKind(w.GetKey()), Encoding: Encoding(w.GetEncoding()),
	}
}

func schemaReportToWire(r SchemaReport) *pb.SchemaReport {
	return &pb.SchemaReport{
		Encodings: table(r.Encodings, func(e Encoding) string { return string(e) }),
		Findings:  list(r.Findings, findingToWire),
	}
}

func schemaReportFromWire(w *pb.SchemaReport) SchemaReport {
	return SchemaReport{
		Encodings: table(w.GetEncodings(), func(e string) Encoding { return Encoding(e) }),
		Findings:  list(w.GetFindings(), findingFromWire),
	}
}

func findingToWire(f SchemaFinding) *pb.SchemaFinding {
	return &pb.SchemaFinding{
		Item: f.Item, Flow: f.Flow, Step: f.Step, Attribute: f.Attribute, Problem: f.Problem, Fix: f.Fix,
	}
}

func findingFromWire(w *pb.SchemaFinding) SchemaFinding {
	return SchemaFinding{
		Item: w.GetItem(), Flow: w.GetFlow(), Step: w.GetStep(), Attribute: w.GetAttribute(), Problem: w.GetProblem(), Fix: w.GetFix(),
	}
}
