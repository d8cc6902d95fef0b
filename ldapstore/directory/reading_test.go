package directory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

func TestReadingMuch(t *testing.T) {
	t.Parallel()
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			d := kind.Start(t)
			pool := open(t, settingsOf(d))
			t.Run("every entry comes once, page by page", func(t *testing.T) { everyEntry(t, d, pool) })
			t.Run("the schema tells what the server accepts", func(t *testing.T) { schemaOf(t, d, pool) })
		})
	}
}

func everyEntry(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	people := directory.DN(d.People)
	var want []string
	for i := range 23 {
		name := fmt.Sprintf("p%02d", i)
		want = append(want, name)
		if err := pool.Add(t.Context(), people.Child("cn", name), person(d.Kind, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, size := range []int{1, 5, 23, 1000, 0} {
		var got []string
		err := pool.Each(t.Context(), people, directory.OneLevel, directory.Filter{}, size, []string{"cn"}, func(e directory.Entry) error {
			got = append(got, e.Value("cn"))
			_, err := pool.Read(t.Context(), e.DN) // the pool may be used meanwhile
			return err
		})
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("pages of %d: %d entries, %v", size, len(got), err)
		}
	}
	enough, seen := errors.New("enough"), 0
	for range 10 { // more often than there are connections
		err := pool.Each(t.Context(), people, directory.OneLevel, directory.Filter{}, 4, nil, func(directory.Entry) error {
			if seen++; seen%6 == 0 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || seen%6 != 0 {
			t.Fatalf("stopped after %d: %v", seen, err)
		}
	}
	err := pool.Each(t.Context(), people.Child("cn", "nobody"), directory.Subtree, directory.Filter{}, 4, nil, func(directory.Entry) error { return nil })
	if silent := d.Kind == testenv.DS389 && err == nil; !directory.Refused(err, directory.NoSuchObject) && !silent {
		t.Errorf("below nobody: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = pool.Each(ctx, people, directory.OneLevel, directory.Filter{}, 4, nil, func(directory.Entry) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in the middle: %v", err)
	}
}

func schemaOf(t *testing.T, d *testenv.Directory, pool *directory.Pool) {
	schema, err := pool.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := pool.Schema(t.Context())
	if err != nil || again != schema {
		t.Errorf("it was read again: %v", err)
	}
	server, err := pool.Server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	id, ok := schema.Attribute(server.IDAttribute())
	if !ok || !id.SingleValue || !id.NoUserModification && d.Kind != testenv.ActiveDirectory {
		t.Errorf("%s: %+v, %v", server.IDAttribute(), id, ok)
	}
	const directoryString = "1.3.6.1.4.1.1466.115.121.1.15"
	surname, ok := schema.Attribute("surname")
	if d.Kind == testenv.ActiveDirectory {
		surname, ok = schema.Attribute("SN")
	}
	if !ok || surname.Syntax != directoryString || surname.Equality == "" && d.Kind != testenv.ActiveDirectory {
		t.Errorf("surname: %+v, %v", surname, ok)
	}
	class := person(d.Kind, "")[0].Values[0]
	for attribute, want := range map[string]bool{"cn": true, "userPassword": true, "mail": true, "uidNumber": d.Kind == testenv.ActiveDirectory, "nonsense": false,
		"sAMAccountName": d.Kind == testenv.ActiveDirectory} {
		if schema.Allows(attribute, class) != want {
			t.Errorf("%s allows %s: not %v", class, attribute, want)
		}
	}
	if c, ok := schema.Class(strings.ToUpper(class)); !ok || !slices.Contains(c.Must, "cn") || c.Kind != "STRUCTURAL" {
		t.Errorf("%s: %+v, %v", class, c, ok)
	}
}

func TestHook(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t)
	pool := open(t, settingsOf(d))
	var seen []string
	stopped := errors.New("stopped")
	var outcome error
	hooked := directory.WithHook(pool, func(_ context.Context, op directory.Operation) error {
		seen = append(seen, op.Name+" "+string(op.DN))
		return outcome
	})
	dn := directory.DN(d.People).Child("cn", "ada")
	all := func() []error {
		errs := []error{hooked.Add(t.Context(), dn, person(d.Kind, "ada")), hooked.SetPassword(t.Context(), dn, rightPassword)}
		_, err := hooked.Read(t.Context(), dn)
		errs = append(errs, err)
		_, err = hooked.Search(t.Context(), dn, directory.Base, directory.Filter{}, 1)
		errs = append(errs, err, hooked.Modify(t.Context(), dn, []directory.Change{{directory.ReplaceValues, directory.Attribute{"sn", []string{"B"}}}}, directory.Filter{}),
			hooked.Move(t.Context(), dn, dn, true, directory.Filter{}))
		_, err = hooked.Increment(t.Context(), dn, "uidNumber", 1)
		return append(errs, err, hooked.Delete(t.Context(), dn))
	}
	outcome = stopped
	for i, err := range all() {
		if !errors.Is(err, stopped) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if _, err := pool.Read(t.Context(), dn); !directory.Refused(err, directory.NoSuchObject) {
		t.Errorf("something was sent: %v", err)
	}
	outcome, seen = nil, nil
	for i, err := range all() {
		if err != nil && i != 6 { // there is no uidNumber
			t.Errorf("operation %d: %v", i, err)
		}
	}
	var want []string
	for _, name := range []string{"add", "password", "read", "search", "modify", "move", "increment", "delete"} {
		want = append(want, name+" "+string(dn))
	}
	if !slices.Equal(seen, want) {
		t.Errorf("the hook saw %q", seen)
	}
}

func BenchmarkRead(b *testing.B) {
	d := testenv.StartSlapd(b)
	pool := open(b, settingsOf(d))
	for _, parallel := range []bool{false, true} {
		b.Run(map[bool]string{false: "one caller", true: "many callers"}[parallel], func(b *testing.B) {
			read := func() {
				if _, err := pool.Read(context.Background(), directory.DN(d.Base), "dc"); err != nil {
					b.Error(err)
				}
			}
			if !parallel {
				for b.Loop() {
					read()
				}
				return
			}
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					read()
				}
			})
		})
	}
}
