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
// service account may write its password and nothing else of it.
func (s *Store) decoy() directory.DN { return s.settings.Identifiers.Child("cn", "decoy") }

// renewDecoy gives the decoy a password that is stored as people's are, so that judging it costs the same; a new one also
// takes away the lock that a policy puts on after many wrong ones. All sidecars derive the same from what all of them
// know. Without a decoy unknown names are answered sooner than wrong passwords, and the log says so.
//
// Active Directory needs none: it answers both alike, and soon.
func (s *Store) renewDecoy(ctx context.Context) {
	if s.server.Kind == directory.ActiveDirectory {
		return
	}
	mac := hmac.New(sha256.New, []byte(s.bindPassword.Reveal()))
	_, _ = mac.Write([]byte("the decoy's password"))
	password := plugin.NewSecret("Aa1." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
	if err := s.writePassword(ctx, s.decoy(), password); err != nil {
		s.log.WarnContext(ctx, "unknown names are answered sooner than wrong passwords: the decoy's password cannot be set; 'narthex directory check' tells what to do", "error", err)
	}
}
