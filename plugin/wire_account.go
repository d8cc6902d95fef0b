package plugin

import (
	"time"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// Conversions between the contract's values and the wire's, both ways. They translate and never judge: whoever receives
// calls Validate. Empty and absent are the same.

// list converts each element; nil for none.
func list[From, To any](from []From, convert func(From) To) []To {
	if len(from) == 0 {
		return nil
	}
	to := make([]To, len(from))
	for i, f := range from {
		to[i] = convert(f)
	}
	return to
}

// table converts each value; nil for none.
func table[From, To any](from map[string]From, convert func(From) To) map[string]To {
	if len(from) == 0 {
		return nil
	}
	to := make(map[string]To, len(from))
	for name, f := range from {
		to[name] = convert(f)
	}
	return to
}

// texts converts between kinds of strings.
func texts[To, From ~string](from []From) []To {
	return list(from, func(f From) To { return To(f) })
}

// unixNanos has 0 for the zero time.
func unixNanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromUnixNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// unixSeconds cuts off fractions, as the contract has whole seconds, and has 0 for the zero time.
func unixSeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromUnixSeconds(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func valueToWire(v Value) *pb.Value { return &pb.Value{Type: string(v.Type), Text: v.Text} }

func valueFromWire(w *pb.Value) Value { return Value{ValueType(w.GetType()), w.GetText()} }

func valuesToWire(vs []Value) *pb.Values { return &pb.Values{Values: list(vs, valueToWire)} }

func valuesFromWire(w *pb.Values) []Value { return list(w.GetValues(), valueFromWire) }

func attributesToWire(a Attributes) map[string]*pb.Values { return table(a, valuesToWire) }

func attributesFromWire(w map[string]*pb.Values) Attributes { return table(w, valuesFromWire) }

func keyToWire(k Key) *pb.Key {
	return &pb.Key{
		Kind: string(k.Kind), Canonical: k.Canonical, Value: k.Value,
		Attribute: k.Attribute, Login: k.Login,
	}
}

func keyFromWire(w *pb.Key) Key {
	return Key{
		Kind: KeyKind(w.GetKind()), Canonical: w.GetCanonical(), Value: w.GetValue(),
		Attribute: w.GetAttribute(), Login: w.GetLogin(),
	}
}

func stateToWire(s State) *pb.State { return &pb.State{Locked: s.Locked, Reason: s.Reason} }

func stateFromWire(w *pb.State) State { return State{Locked: w.GetLocked(), Reason: w.GetReason()} }

func newAccountToWire(a NewAccount) *pb.NewAccount {
	return &pb.NewAccount{
		Attempt:           string(a.Attempt),
		NotAfterUnixNanos: unixNanos(a.NotAfter),
		Keys:              list(a.Keys, keyToWire),
		Attributes:        attributesToWire(a.Attributes),
		Password:          a.Password.Reveal(),
		State:             stateToWire(a.State),
		Groups:            a.Groups,
	}
}

func newAccountFromWire(w *pb.NewAccount) NewAccount {
	return NewAccount{
		Attempt:    Attempt(w.GetAttempt()),
		NotAfter:   fromUnixNanos(w.GetNotAfterUnixNanos()),
		Keys:       list(w.GetKeys(), keyFromWire),
		Attributes: attributesFromWire(w.GetAttributes()),
		Password:   NewSecret(w.GetPassword()),
		State:      stateFromWire(w.GetState()),
		Groups:     texts[string](w.GetGroups()),
	}
}

func accountToWire(a Account) *pb.Account {
	return &pb.Account{
		Id:            string(a.ID),
		Username:      a.Username,
		Attributes:    attributesToWire(a.Attributes),
		State:         stateToWire(a.State),
		Groups:        a.Groups,
		CreatedAtUnix: unixSeconds(a.CreatedAt),
	}
}

func accountFromWire(w *pb.Account) Account {
	return Account{
		ID:         ID(w.GetId()),
		Username:   w.GetUsername(),
		Attributes: attributesFromWire(w.GetAttributes()),
		State:      stateFromWire(w.GetState()),
		Groups:     texts[string](w.GetGroups()),
		CreatedAt:  fromUnixSeconds(w.GetCreatedAtUnix()),
	}
}

func statusToWire(s Status) *pb.Status {
	return &pb.Status{Id: string(s.ID), Usable: s.Usable, PasswordChangedAtUnix: unixSeconds(s.PasswordChangedAt)}
}

func statusFromWire(w *pb.Status) Status {
	return Status{ID: ID(w.GetId()), Usable: w.GetUsable(), PasswordChangedAt: fromUnixSeconds(w.GetPasswordChangedAtUnix())}
}
