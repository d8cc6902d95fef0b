package entry_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

func TestPasswords(t *testing.T) {
	t.Run("a hash made here is one that slapd binds with, and the text of a scheme is only a text", func(t *testing.T) {
		t.Parallel()
		d := testenv.StartSlapd(t, testenv.WithArgon2())
		_, err := d.LDAPModify(d.AdminDN, d.AdminPassword, "dn: cn=module{0},cn=config\nchangetype: modify\nadd: olcModuleLoad\nolcModuleLoad: pw-sha2\n")
		must(t, err)
		pool, err := directory.Open(directory.Settings{URL: d.URL, CAFile: d.CAFile, BindDN: d.AdminDN, Password: d.AdminPassword})
		must(t, err)
		t.Cleanup(pool.Close)
		for _, hash := range []string{"ssha512", "argon2id"} {
			s, err := entry.Decode("f", []byte(fmt.Sprintf("password: {hash: %s, argon2id: \"m=8,t=1,p=1\"}", hash)), directory.OpenLDAP, directory.DN(d.Base))
			must(t, err)
			for i, clear := range []string{"Thirsty fjord", "{SSHA}Thirsty", "пароль из слов", " "} {
				a := account(fmt.Sprintf("%s%d", hash, i))
				a.Password, a.Attributes = plugin.NewSecret(clear), nil
				password, err := entry.NewPasswords(s).Staged(t.Context(), a.Password)
				must(t, err)
				draft, err := s.Build(a, entry.Inputs{Run: "run", Password: password})
				must(t, err)
				must(t, pool.Add(t.Context(), draft.DN, draft.Attributes))
				if _, err := d.LDAPWhoAmI(string(draft.DN), clear); err != nil {
					t.Errorf("%s: %q does not bind: %v", hash, clear, err)
				}
				if _, err := d.LDAPWhoAmI(string(draft.DN), strings.TrimSpace(clear)+"x"); err == nil {
					t.Errorf("%s: another password binds", hash)
				}
			}
		}
	})
	t.Run("a password never stands in clear where the server might take it for a hash", func(t *testing.T) {
		p := entry.NewPasswords(decode(t, directory.DS389, ""))
		for _, clear := range []string{"{SSHA}x", "{CRYPT}$1$x", "{clear}x", "{PBKDF2-SHA512}x", "{x}"} {
			_, err := p.Staged(t.Context(), plugin.NewSecret(clear))
			if field, code := blamed(err); field != plugin.PasswordField || code != plugin.CodePolicy || strings.Contains(fmt.Sprint(err), clear) {
				t.Errorf("%q: the error is %v", clear, err)
			}
		}
		for _, clear := range []string{"{", "{}", "{ }", "{a b}", "a{SSHA}x", "{ä}x", "{unclosed"} {
			if got, err := p.Staged(t.Context(), plugin.NewSecret(clear)); err != nil || got[0].Values[0] != clear {
				t.Errorf("%q becomes %v, %v", clear, got, err)
			}
		}
	})
	t.Run("Active Directory gets UTF-16 in quotes, OpenLDAP nothing before RFC 3062, and no password is none", func(t *testing.T) {
		secret := plugin.NewSecret("é🔑")
		ad, err := entry.NewPasswords(decode(t, directory.ActiveDirectory, "")).Staged(t.Context(), secret)
		must(t, err)
		if ad[0].Name != "unicodePwd" || ad[0].Values[0] != "\"\x00\xe9\x00\x3d\xd8\x11\xdd\"\x00" {
			t.Errorf("the attribute is %q", ad)
		}
		open := entry.NewPasswords(decode(t, directory.OpenLDAP, ""))
		if later, err := open.Staged(t.Context(), secret); err != nil || later != nil || !open.Later() {
			t.Errorf("the attribute is %q, %v", later, err)
		}
		for _, kind := range []directory.Kind{directory.OpenLDAP, directory.DS389} {
			if none, err := entry.NewPasswords(decode(t, kind, "")).Staged(t.Context(), plugin.Secret{}); err != nil || none != nil {
				t.Errorf("%s: no password becomes %q, %v", kind, none, err)
			}
		}
	})
	t.Run("two hashes of one password differ, and many at once are made", func(t *testing.T) {
		p := entry.NewPasswords(decode(t, directory.OpenLDAP, "password: {hash: argon2id, argon2id: \"m=64,t=1,p=1\"}"))
		var all sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]bool{}
		for range 20 {
			all.Go(func() {
				change, err := p.Change(t.Context(), plugin.NewSecret("x"))
				mu.Lock()
				defer mu.Unlock()
				if err != nil || seen[change[0].Values[0]] {
					t.Errorf("the change is %v, %v", change, err)
					return
				}
				seen[change[0].Values[0]] = true
			})
		}
		all.Wait()
	})
}

func TestRefusal(t *testing.T) {
	s := decode(t, directory.OpenLDAP, "attributes: {family: sn}")
	d, err := s.Build(account("ada"), entry.Inputs{Run: "run"})
	must(t, err)
	changes := []directory.Change{{Attribute: directory.Attribute{Name: "objectClass"}}, {Attribute: directory.Attribute{Name: "sn"}}, {Attribute: directory.Attribute{Name: "mail"}}, {Attribute: directory.Attribute{Name: "employeeNumber"}}}
	for text, c := range map[string]struct {
		code        uint16
		field, says string
	}{
		"Password fails quality checking policy":                                                          {19, plugin.PasswordField, plugin.CodePolicy},
		"Password is in history of old passwords":                                                         {19, plugin.PasswordField, plugin.CodePolicy},
		"Password is too short for policy":                                                                {19, plugin.PasswordField, plugin.CodeTooShort},
		"invalid password syntax - password must be at least 8 characters long":                           {19, plugin.PasswordField, plugin.CodeTooShort},
		"invalid password syntax - password must contain at least 3 character categories":                 {19, plugin.PasswordField, plugin.CodePolicy},
		"0000052D: Constraint violation - check_password_restrictions: the password is too short":         {19, plugin.PasswordField, plugin.CodeTooShort},
		"0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0":                        {53, plugin.PasswordField, plugin.CodePolicy},
		"mail: value #0 invalid per syntax":                                                               {21, "mail", plugin.CodeInvalid},
		"0000200B: objectclass_attrs: attribute 'sn' on entry 'CN=mail,OU=uid' contains an invalid value": {21, "family", plugin.CodeInvalid},
		"attribute 'employeeNumber' not allowed":                                                          {65, "", ""},
		"no write access to parent":                                                                       {50, "", ""},
		"mail is a word that others begin with: mailbox":                                                  {50, "", ""},
		"emails and mail-boxes and my_mail":                                                               {21, "", ""},
		"":                                                                                                {19, "", ""},
	} {
		t.Run(text, func(t *testing.T) {
			refusal := fmt.Errorf("stage: %w", &directory.Error{Operation: "add", Code: c.code, Diagnostic: text})
			for _, err := range []error{s.Refusal(refusal, d), s.ChangeRefusal(refusal, changes)} {
				if field, code := blamed(err); field != c.field || code != c.says || !directory.Refused(err, c.code) {
					t.Errorf("the field is %q (%s): %v", field, code, err)
				}
			}
		})
	}
	t.Run("what a template has made is blamed on what it was made of", func(t *testing.T) {
		err := s.Refusal(&directory.Error{Operation: "add", Code: 21, Diagnostic: "cn: value #0 invalid per syntax"}, d)
		if field, _ := blamed(err); field != "givenName" {
			t.Errorf("the field is %q", field)
		}
	})
	t.Run("a refused change of nothing but a password is about the password", func(t *testing.T) {
		if field, code := blamed(entry.PasswordRefusal(&directory.Error{Operation: "set password", Code: 19})); field != plugin.PasswordField || code != plugin.CodePolicy {
			t.Errorf("the field is %q (%s)", field, code)
		}
		for _, err := range []error{directory.ErrUnanswered, &directory.Error{Operation: "set password", Code: 50}, &directory.Error{Operation: "set password", Code: 53}} {
			if got := entry.PasswordRefusal(err); !errors.Is(got, err) || errors.Is(got, plugin.ErrInvalid) {
				t.Errorf("%v becomes %v", err, got)
			}
		}
	})
}
