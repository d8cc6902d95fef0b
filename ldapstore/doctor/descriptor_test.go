package doctor_test

import (
	"testing"

	"github.com/narthex/narthex/ldapstore/doctor"
)

const someSID = "S-1-5-21-875339091-2333795470-526138242-1102"

func TestIdentifiersReadBackAsTheyWere(t *testing.T) {
	for _, text := range []string{someSID, "S-1-1-0", "S-1-5-18", "S-1-281474976710655-4294967295"} {
		if got, err := doctor.SID(text); err != nil || got != text {
			t.Errorf("%s reads back as %q: %v", text, got, err)
		}
	}
	for _, text := range []string{"", "S-1", "S-1-5", "S-2-5-18", "s-1-5-18", "S-1-5-4294967296", "S-1-5-x", "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"} {
		if got, err := doctor.SID(text); err == nil {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func TestEntriesAreAddedToAListOnce(t *testing.T) {
	sd, err := doctor.NewDescriptor(someSID)
	if err != nil {
		t.Fatal(err)
	}
	more, added, err := doctor.Merge(sd, someSID)
	if err != nil || !added || len(more) <= len(sd) {
		t.Fatalf("added: %v, %v", added, err)
	}
	same, added, err := doctor.Merge(more, someSID)
	if err != nil || added || same != more {
		t.Errorf("a second time: %v, %v", added, err)
	}
}

// FuzzDescriptor reads what a server may show.
func FuzzDescriptor(f *testing.F) {
	sd, err := doctor.NewDescriptor(someSID)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", sd, sd[:len(sd)-1], sd[:20], sd[:19] + "\xff\xff\xff\xff", "\x01\x00\x04\x80\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x14\x00\x00\x00\x04\x00\x08\x00\xff\xff\x00\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		readable := doctor.ReadAccessList(text)
		more, _, err := doctor.Merge(text, someSID)
		if readable != (err == nil) && len(text) < 60000 {
			t.Errorf("readable: %v, merged: %v", readable, err)
		}
		if err != nil {
			return
		}
		if !doctor.ReadAccessList(more) {
			t.Error("what was added to cannot be read")
		}
		if _, added, err := doctor.Merge(more, someSID); added || err != nil {
			t.Errorf("a second time: %v, %v", added, err)
		}
	})
}
