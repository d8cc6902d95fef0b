package message

import "time"

// For the tests.

const SizeClass = sizeClass

// SetStep limits every step of talking to a mail server.
func (s *SMTP) SetStep(d time.Duration) { s.step = d }

// SetIdle limits how long a connection is kept that nobody uses.
func (s *SMTP) SetIdle(d time.Duration) { s.idle = d }
