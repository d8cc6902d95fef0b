package plugin

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// filler fills every field of a value, however deep, with something that no other field has.
type filler struct{ n int64 }

func (f *filler) fill(t *testing.T, v reflect.Value) {
	t.Helper()
	f.n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+f.n, 0).UTC()))
		return
	case Secret:
		v.Set(reflect.ValueOf(NewSecret(fmt.Sprintf("secret-%d", f.n))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d", f.n))
	case reflect.Int, reflect.Int64:
		v.SetInt(f.n)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(t, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(t, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(t, v.Index(0))
		f.fill(t, v.Index(1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(t, key)
		f.fill(t, value)
		v.SetMapIndex(key, value)
	default:
		t.Fatalf("the filler does not know a %s", v.Type())
	}
}

// carry takes a value over the wire and back.
func carry[T any, W proto.Message](to func(T) W, from func(W) T) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		var full T
		(&filler{}).fill(t, reflect.ValueOf(&full).Elem())
		if back := overWire(t, full, to, from); !reflect.DeepEqual(back, full) {
			t.Errorf("a field is lost on the wire\nsent %+v\ngot  %+v", full, back)
		}
		var empty T
		if back := overWire(t, empty, to, from); !reflect.DeepEqual(back, empty) {
			t.Errorf("the empty value changes on the wire\nsent %+v\ngot  %+v", empty, back)
		}
	}
}

func overWire[T any, W proto.Message](t *testing.T, v T, to func(T) W, from func(W) T) T {
	t.Helper()
	bytes, err := proto.Marshal(to(v))
	if err != nil {
		t.Fatal(err)
	}
	w := to(v).ProtoReflect().New().Interface().(W)
	if err := proto.Unmarshal(bytes, w); err != nil {
		t.Fatal(err)
	}
	return from(w)
}

func TestEveryFieldOfTheContractSurvivesTheWire(t *testing.T) {
	t.Run("NewAccount", carry(newAccountToWire, newAccountFromWire))
	t.Run("Account", carry(accountToWire, accountFromWire))
	t.Run("Key", carry(keyToWire, keyFromWire))
	t.Run("Change", carry(changeToWire, changeFromWire))
	t.Run("Description", carry(descriptionToWire, descriptionFromWire))
	t.Run("ListQuery", carry(listQueryToWire, listQueryFromWire))
	t.Run("Page", carry(pageToWire, pageFromWire))
	t.Run("MaintainReport", carry(maintainReportToWire, maintainReportFromWire))
	t.Run("Status", carry(statusToWire, statusFromWire))
	t.Run("AttributeUse", carry(useToWire, useFromWire))
	t.Run("SchemaReport", carry(schemaReportToWire, schemaReportFromWire))
}

func TestAnExecutionsEndKeepsItsNanoseconds(t *testing.T) {
	sent := NewAccount{NotAfter: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)}
	if got := newAccountFromWire(newAccountToWire(sent)).NotAfter; !got.Equal(sent.NotAfter) {
		t.Errorf("sent %v, got %v", sent.NotAfter, got)
	}
}

func TestTimesOfAnAccountAreWholeSecondsOnTheWire(t *testing.T) {
	a := Account{CreatedAt: time.Date(2026, 3, 1, 12, 0, 0, 999, time.FixedZone("", 3600))}
	got := accountFromWire(accountToWire(a)).CreatedAt
	if want := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// FuzzHostileReply: whatever bytes come as an answer, decoding does not panic, and what passes validation keeps the
// contract's bounds.
func FuzzHostileReply(f *testing.F) {
	var page Page
	(&filler{}).fill(&testing.T{}, reflect.ValueOf(&page).Elem())
	seed, _ := proto.Marshal(pageToWire(page))
	f.Add(seed)
	seed, _ = proto.Marshal(descriptionToWire(Description{Name: "x", Limits: Limits{MaxKeys: -1}}))
	f.Add(seed)
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		account, pages, report, described := new(pb.Account), new(pb.Page), new(pb.SchemaReport), new(pb.Description)
		if proto.Unmarshal(data, account) == nil {
			checkDecoded(t, accountFromWire(account))
		}
		if proto.Unmarshal(data, pages) == nil {
			q := ListQuery{Limit: 2}
			if p := pageFromWire(pages); p.answers(q) == nil {
				for _, a := range p.Accounts {
					checkDecoded(t, a)
				}
			}
		}
		if proto.Unmarshal(data, report) == nil {
			_ = schemaReportFromWire(report).Validate()
		}
		if proto.Unmarshal(data, described) == nil {
			d := descriptionFromWire(described).WithDefaults()
			if d.Validate() == nil && (d.Limits.MaxValueBytes > MaxValueBytes || d.Limits.MaxKeys < 1) {
				t.Errorf("limits out of bounds pass: %+v", d.Limits)
			}
		}
	})
}

func checkDecoded(t *testing.T, a Account) {
	t.Helper()
	if a.Validate() != nil {
		return
	}
	if a.ID == "" || a.Username == "" || len(a.Attributes) > MaxAttributes+MaxKeys {
		t.Errorf("an account out of bounds passes: %+v", a)
	}
}
