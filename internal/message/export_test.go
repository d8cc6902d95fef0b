package message

import "time"

// For the tests.

const SizeClass = sizeClass

// SetStep limits every step of talking to a mail server.
func (s *SMTP) SetStep(d time.Duration) { s.step = d }
