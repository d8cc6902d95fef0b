package plugin

import (
	"time"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

func changeToWire(c Change) *pb.Change {
	return &pb.Change{
		Attributes: table(c.Attributes, attributeChangeToWire),
		State:      optional(c.State, stateChangeToWire),
		Groups:     optional(c.Groups, groupChangeToWire),
		Identifier: optional(c.Identifier, identifierChangeToWire),
	}
}

func changeFromWire(w *pb.Change) Change {
	return Change{
		Attributes: table(w.GetAttributes(), attributeChangeFromWire),
		State:      optional(w.GetState(), stateChangeFromWire),
		Groups:     optional(w.GetGroups(), groupChangeFromWire),
		Identifier: optional(w.GetIdentifier(), identifierChangeFromWire),
	}
}

// optional converts what is there.
func optional[From, To any](from *From, convert func(*From) *To) *To {
	if from == nil {
		return nil
	}
	return convert(from)
}

func attributeChangeToWire(c AttributeChange) *pb.AttributeChange {
	return &pb.AttributeChange{Old: list(c.Old, valueToWire), New: list(c.New, valueToWire)}
}

func attributeChangeFromWire(w *pb.AttributeChange) AttributeChange {
	return AttributeChange{Old: list(w.GetOld(), valueFromWire), New: list(w.GetNew(), valueFromWire)}
}

func stateChangeToWire(c *StateChange) *pb.StateChange {
	return &pb.StateChange{Old: stateToWire(c.Old), New: stateToWire(c.New)}
}

func stateChangeFromWire(w *pb.StateChange) *StateChange {
	return &StateChange{Old: stateFromWire(w.GetOld()), New: stateFromWire(w.GetNew())}
}

func groupChangeToWire(c *GroupChange) *pb.GroupChange {
	return &pb.GroupChange{Add: c.Add, Remove: c.Remove}
}

func groupChangeFromWire(w *pb.GroupChange) *GroupChange {
	return &GroupChange{Add: texts[string](w.GetAdd()), Remove: texts[string](w.GetRemove())}
}

func identifierChangeToWire(c *IdentifierChange) *pb.IdentifierChange {
	w := &pb.IdentifierChange{
		Attempt:           string(c.Attempt),
		NotAfterUnixNanos: unixNanos(c.NotAfter),
		HoldNanos:         int64(c.Hold),
	}
	if c.Add != nil {
		w.Add = keyToWire(*c.Add)
	}
	if c.Drop != nil {
		w.Drop = keyToWire(*c.Drop)
	}
	return w
}

func identifierChangeFromWire(w *pb.IdentifierChange) *IdentifierChange {
	c := &IdentifierChange{
		Attempt:  Attempt(w.GetAttempt()),
		NotAfter: fromUnixNanos(w.GetNotAfterUnixNanos()),
		Hold:     time.Duration(w.GetHoldNanos()),
	}
	if w.GetAdd() != nil {
		add := keyFromWire(w.GetAdd())
		c.Add = &add
	}
	if w.GetDrop() != nil {
		drop := keyFromWire(w.GetDrop())
		c.Drop = &drop
	}
	return c
}
