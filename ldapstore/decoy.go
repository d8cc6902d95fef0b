package ldapstore

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// decoy is the entry whose password is judged for names that nobody has. The admin adds it, and the doctor prints it; the
// service account may write its password and nothing else of it. On Active Directory it is a disabled user among those that
// are not finished: whether the password is wrong is looked at first there.
func (s *Store) decoy() directory.DN {
	if s.server.Kind == directory.ActiveDirectory {
		return s.settings.Pending.Child("cn", "decoy")
	}
	return s.settings.Identifiers.Child("cn", "decoy")
}

// renewDecoy gives the decoy a password that is stored as people's are, so that judging it costs the same; a new one also
// takes away the lock that a policy puts on after many wrong ones. All sidecars derive the same from what all of them
// know. Without a decoy unknown names are answered sooner than wrong passwords, and the log says so.
func (s *Store) renewDecoy(ctx context.Context) {
	mac := hmac.New(sha256.New, []byte(s.bindPassword.Reveal()))
	_, _ = mac.Write([]byte("the decoy's password"))
	password := plugin.NewSecret("Aa1." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	var err error
	if s.server.Kind == directory.ActiveDirectory {
		err = s.addDecoy(ctx, password)
	} else {
		err = s.writePassword(ctx, s.decoy(), password)
	}
	if err != nil {
		s.log.WarnContext(ctx, "unknown names are answered sooner than wrong passwords: there is no decoy; 'narthex directory check' tells what to do", "error", err)
	}
}

// addDecoy makes the decoy of Active Directory, where the service account may make users that are not finished.
func (s *Store) addDecoy(ctx context.Context, password plugin.Secret) error {
	attribute := func(name, value string) directory.Attribute {
		return directory.Attribute{Name: name, Values: []string{value}}
	}
	err := s.ops.Add(ctx, s.decoy(), []directory.Attribute{
		attribute("objectClass", "user"), attribute("sAMAccountName", "narthex-decoy"), attribute("userAccountControl", "514"),
		attribute("unicodePwd", directory.UnicodePassword(password.Reveal())),
	})
	if directory.Refused(err, directory.EntryAlreadyExists) {
		return nil
	}
	return err
}
