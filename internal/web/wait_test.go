package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

func TestPagesTellInWordsHowLongToWait(t *testing.T) {
	var fault error
	p := visit(t, &flowtest.Engine{Before: func(context.Context) error { return fault }})
	intro, german := p.wishing(flowPath, "en"), visit(t, &flowtest.Engine{Before: func(context.Context) error { return fault }})
	germanIntro := german.press(german.open(flowPath), "Deutsch")
	for _, c := range []struct {
		code        flow.Code
		wait        time.Duration
		status      int
		seconds     string
		title, lead string
		german      string
	}{
		{flow.CodeRateLimited, 500 * time.Millisecond, 429, "1", "Please wait a little", "Please try again in 1 second.", "Bitte versuchen Sie es in 1 Sekunde noch einmal."},
		{flow.CodeRateLimited, 119*time.Second + 1, 429, "120", "Please wait a little", "Please try again in 120 seconds.", "in 120 Sekunden"},
		{flow.CodeRateLimited, 121 * time.Second, 429, "121", "Please wait a little", "Please try again in 3 minutes.", "in 3 Minuten"},
		{flow.CodeRateLimited, 150 * time.Minute, 429, "9000", "Please wait a little", "Please try again in 3 hours.", "in 3 Stunden"},
		{flow.CodeUnavailable, 0, 503, "5", "This does not work right now", "Please try again in 5 seconds.", "in 5 Sekunden"},
	} {
		fault = &flow.Problem{Code: c.code, RetryAfter: c.wait}
		got := p.press(intro, "Get started").must(c.status, flowPath, c.title, c.lead, `href="/register"`)
		if got.header.Get("Retry-After") != c.seconds {
			t.Errorf("%s: Retry-After is %q", c.wait, got.header.Get("Retry-After"))
		}
		german.press(germanIntro, "Los geht’s").must(c.status, flowPath, `<html lang="de"`, c.german)
	}
	fault = nil
	p.press(intro, "Get started").must(200, flowPath, "Email address")
}
