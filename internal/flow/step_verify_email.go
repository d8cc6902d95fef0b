package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sethvargo/go-password/password"
	"golang.org/x/text/width"
)

// VerifyEmailSettings are those of a verify-email step: a code goes to the address, and whoever sends it back has the
// mailbox.
type VerifyEmailSettings struct {
	// Address is the item that is verified.
	Address *Item
	// Digits of a code, its Lifetime, how many Tries there are, and the wait before the second message; each further
	// wait is twice as long.
	Digits      int
	Lifetime    time.Duration
	Tries       int
	ResendAfter time.Duration
}

// Defaults and bounds of verify-email. An eight-digit code has 26 bits; six digits are the 20 bits that
// NIST SP 800-63B asks for, and ten minutes the longest life it allows.
const (
	defaultDigits      = 8
	leastDigits        = 6
	mostDigits         = 12
	defaultLifetime    = 10 * time.Minute
	longestLifetime    = 10 * time.Minute
	defaultTries       = 5
	mostTries          = 10
	defaultResendAfter = time.Minute
	// mostMessages bounds the messages of one registration, whatever they are sent for.
	mostMessages = 5
)

func (s *VerifyEmailSettings) supplies() []*Item { return nil }

func (s *VerifyEmailSettings) step(name string, r *runtime) (Step, error) {
	codes, err := password.NewGenerator(nil)
	if err != nil {
		return nil, fmt.Errorf("make a generator of codes: %w", err)
	}
	return &verifyEmailStep{VerifyEmailSettings: s, name: name, runtime: r, codes: codes}, nil
}

type verifyEmailStep struct {
	*VerifyEmailSettings
	*runtime
	name  string
	codes *password.Generator
}

func (s *verifyEmailStep) Attempts() int { return s.Tries }

func (s *verifyEmailStep) Item() *Item { return s.Address }

// Done asks for the proof of the present value: a proof of another address is none. An address that was not entered
// needs none.
func (s *verifyEmailStep) Done(r *Record) bool {
	return r.Done[s.name] && (r.proves(s.Address) || !r.has(s.Address))
}

func (s *verifyEmailStep) Enter(_ context.Context, v Visit) (Effects, error) {
	if !v.Record.has(s.Address) {
		return Effects{}, nil
	}
	if v.Record.proves(s.Address) {
		return Effects{}, nil
	}
	return s.send(v)
}

func (s *verifyEmailStep) Resend(_ context.Context, v Visit) (Effects, error) {
	if v.Attempts >= s.Tries {
		return Effects{}, &Problem{Code: CodeTooManyAttempts}
	}
	return s.send(v)
}

// send draws a new code, which replaces the one before.
func (s *verifyEmailStep) send(v Visit) (Effects, error) {
	address := v.Record.Values[s.Address.Name]
	next, may := s.nextMessage(v)
	if !may {
		return Effects{}, &Problem{Code: CodeRateLimited, RetryAfter: v.ExpiresAt.Sub(v.Now)}
	}
	if wait := next.Sub(v.Now); wait > 0 {
		return Effects{}, &Problem{Code: CodeRateLimited, RetryAfter: wait}
	}
	code, err := s.draw()
	if err != nil {
		return Effects{}, err
	}
	key, err := s.key(s.Address, address)
	if err != nil {
		return Effects{}, err
	}
	mac, err := s.keys.MAC(purposeCode, s.bound(v, code)...)
	if err != nil {
		return Effects{}, fmt.Errorf("hash a code: %w", err)
	}
	expires := v.Now.Add(s.Lifetime)
	return Effects{
		Wait: true,
		Code: &IssuedCode{MAC: mac, Address: address.Text, IssuedAt: v.Now, ExpiresAt: expires},
		Message: &Mail{
			To: address.Text, LimitKey: s.limitKey(s.Address, address), Key: key,
			Stealth: v.Flow.Stealth && s.Address.isKey(), Code: code, ExpiresAt: expires,
		},
	}, nil
}

// draw makes a code: every one is as likely as every other.
func (s *verifyEmailStep) draw() (string, error) {
	code, err := s.codes.Generate(s.Digits, s.Digits, 0, true, true)
	if err != nil {
		return "", fmt.Errorf("draw a code: %w", err)
	}
	return code, nil
}

// nextMessage tells when the next message may go to the present address, and whether one may at all.
func (s *verifyEmailStep) nextMessage(v Visit) (time.Time, bool) {
	if len(v.Record.Sent) >= mostMessages {
		return time.Time{}, false
	}
	sent := v.Record.sentTo(s.limitKey(s.Address, v.Record.Values[s.Address.Name]))
	if len(sent) == 0 {
		return v.Now, true
	}
	return sent[len(sent)-1].At.Add(s.ResendAfter << (len(sent) - 1)), true
}

// bound is what a code is hashed with: it belongs to this registration, step and purpose, and to the address letter by
// letter.
func (s *verifyEmailStep) bound(v Visit, code string) []string {
	return []string{"verify-email", v.Ref, v.Flow.Name, s.name, v.Record.Values[s.Address.Name].Text, code}
}

// Answer compares; the dispatcher has counted this attempt before. An address that has been taken in the meantime looks
// like a wrong code, because the answer must not depend on who has an account.
func (s *verifyEmailStep) Answer(ctx context.Context, v Visit, a Answer) (Effects, error) {
	if v.Attempts > s.Tries {
		return Effects{}, &Problem{Code: CodeTooManyAttempts}
	}
	entered, err := decodeCode(a)
	if err != nil {
		return Effects{}, err
	}
	waiting, address := v.Record.Codes[s.name], v.Record.Values[s.Address.Name]
	right, err := s.keys.CheckMAC(waiting.MAC, purposeCode, s.bound(v, entered)...)
	if err != nil {
		return Effects{}, fmt.Errorf("check a code: %w", err)
	}
	if !right || waiting.Address != address.Text || !waiting.alive(v.Now) {
		return Effects{}, s.wrong(v)
	}
	if v.Flow.Stealth && s.Address.isKey() {
		taken, err := s.taken(ctx, s.Address, address)
		if err != nil {
			return Effects{}, err
		}
		if taken {
			return Effects{}, s.wrong(v)
		}
	}
	return Effects{Proved: s.Address}, nil
}

func (s *verifyEmailStep) wrong(v Visit) error {
	if v.Attempts >= s.Tries {
		return &Problem{Code: CodeTooManyAttempts}
	}
	return &Problem{Code: CodeWrongCode, AttemptsLeft: s.Tries - v.Attempts}
}

// longestCode bounds what is looked at as a code: blanks included.
const longestCode = 64

// decodeCode takes {"code": "…"} apart. Blanks and hyphens do not count, and full-width digits are digits.
func decodeCode(a Answer) (string, error) {
	raw, ok := a["code"]
	if !ok || len(a) != 1 {
		return "", malformed(errors.New("the answer has the one member code"))
	}
	text, faults := textOf(jsontext.Value(raw))
	if faults != nil {
		return "", malformed(errors.New("code is a string"))
	}
	if len(text) > longestCode {
		return "", nil
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0\u2007\u2009\u202f\u3000-\u2010\u2011", r) {
			return -1
		}
		return r
	}, width.Fold.String(text)), nil
}

func (s *verifyEmailStep) View(v Visit) StepView {
	digits := int64(s.Digits)
	view := StepView{
		Fields: []Field{{
			Name: "code", Type: "code", Label: s.texts.label(v.Record.Locale, nil, "code"), Required: true,
			Autocomplete: "one-time-code", Min: &digits, Max: &digits,
		}},
		Target:       shortened(v.Record.Values[s.Address.Name].Text),
		AttemptsLeft: max(0, s.Tries-v.Attempts),
	}
	if next, may := s.nextMessage(v); may {
		view.ResendAfter, view.CanChange = next, true
	}
	return view
}

// shortened shows enough of an address to recognise a typing error in the domain, and no more.
func shortened(address string) string {
	at := strings.LastIndexByte(address, '@')
	for i := range address {
		if i > 0 && i < at {
			return address[:i] + "…" + address[at:]
		}
	}
	return "…" + address[max(at, 0):]
}
