package entry

import (
	"context"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

const (
	saltBytes = 16
	tagBytes  = 32
	// hashWait is how long a request waits for a free core before it is told to come back later.
	hashWait = 2 * time.Second
)

// Passwords makes of a password what is written. It hashes on no more cores than there are.
type Passwords struct {
	Password
	kind  directory.Kind
	slots chan struct{}
}

// NewPasswords returns the form that the settings ask for.
func NewPasswords(s *Settings) *Passwords {
	return &Passwords{Password: s.Password, kind: s.Kind, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Later tells whether the server gets the password after the Add, by RFC 3062, at the staged entry.
func (p *Passwords) Later() bool { return p.kind == directory.OpenLDAP && p.Hash == HashByServer }

// Staged returns what the Add of an entry carries of a password: nothing where it comes later, or where there is none. Active
// Directory enables no account without one, so there it is one that nobody knows and that counts as due to be changed.
func (p *Passwords) Staged(ctx context.Context, secret plugin.Secret) ([]directory.Attribute, error) {
	switch {
	case secret.Empty() && p.kind == directory.ActiveDirectory:
		nobodys, err := p.attribute(ctx, plugin.NewSecret(rand.Text()+rand.Text()+"aA1!"))
		return []directory.Attribute{nobodys, {Name: "pwdLastSet", Values: []string{"0"}}}, err
	case secret.Empty() || p.Later():
		return nil, nil
	}
	a, err := p.attribute(ctx, secret)
	if err != nil {
		return nil, err
	}
	return []directory.Attribute{a}, nil
}

// Change returns the change that sets a password; none where the server is to be asked by RFC 3062.
func (p *Passwords) Change(ctx context.Context, secret plugin.Secret) ([]directory.Change, error) {
	if p.Later() {
		return nil, nil
	}
	a, err := p.attribute(ctx, secret)
	if err != nil {
		return nil, err
	}
	return []directory.Change{replace(a.Name, a.Values...)}, nil
}

func (p *Passwords) attribute(ctx context.Context, secret plugin.Secret) (directory.Attribute, error) {
	if p.kind == directory.ActiveDirectory {
		return directory.Attribute{Name: "unicodePwd", Values: []string{directory.UnicodePassword(secret.Reveal())}}, nil
	}
	text, err := p.text(ctx, secret)
	return directory.Attribute{Name: "userPassword", Values: []string{text}}, err
}

// text is the value of userPassword. A clear one is only for a server that hashes it: what begins like a scheme, it would
// take for a hash that anybody may have made (RFC 2307, section 5.3), so that is refused.
func (p *Passwords) text(ctx context.Context, secret plugin.Secret) (string, error) {
	if p.Hash == HashByServer {
		if looksHashed(secret.Reveal()) {
			return "", fmt.Errorf("write a password: %w", plugin.Refused(plugin.PasswordField, plugin.CodePolicy))
		}
		return secret.Reveal(), nil
	}
	var salt [saltBytes]byte
	_, _ = rand.Read(salt[:]) // never fails (crypto/rand)
	if p.Hash == HashSSHA512 {
		tag := sha512.Sum512(append([]byte(secret.Reveal()), salt[:]...))
		return "{SSHA512}" + base64.StdEncoding.EncodeToString(append(tag[:], salt[:]...)), nil
	}
	if err := p.enter(ctx); err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	defer func() { <-p.slots }()
	tag := argon2.IDKey([]byte(secret.Reveal()), salt[:], p.Passes, p.Memory, p.Lanes, tagBytes)
	raw := base64.RawStdEncoding
	return fmt.Sprintf("{ARGON2}$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Passes, p.Lanes,
		raw.EncodeToString(salt[:]), raw.EncodeToString(tag)), nil
}

func (p *Passwords) enter(ctx context.Context) error {
	wait := time.NewTimer(hashWait)
	defer wait.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return fmt.Errorf("wait for a core to hash on: %w", plugin.ErrUnavailable)
	}
}

// looksHashed tells whether a server would take a text for "{SCHEME}…".
func looksHashed(text string) bool {
	if len(text) == 0 || text[0] != '{' {
		return false
	}
	for i := 1; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '}':
			return i > 1
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '/', c == '.':
		default:
			return false
		}
	}
	return false
}
