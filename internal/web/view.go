package web

import (
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

// page is what every template has.
type page struct {
	T         words
	Title     string
	Style     string
	Icon      string
	RequestID string
}

func (p *Pages) page(c *gin.Context, title string) page {
	return page{
		T: p.texts.in(guard.LanguageWish(c.Request)), Title: title,
		Style: p.assets["style.css"].path, Icon: p.assets["icon.svg"].path,
	}
}

type introPage struct {
	page
	Flow     string
	ReturnTo string
	Others   []flow.FlowInfo
}

// stepPage asks for one step.
type stepPage struct {
	page
	Flow    string
	Name    string
	Heading string
	Kind    string
	Target  string
	Notice  string
	Summary []fault
	Several bool // the summary gets a heading
	Fields  []field
	Button  string
	Resend  bool
	Wait    string // how long until the message can be asked for again
	Change  bool
}

// fault is one line of the summary of what is wrong; Field is empty where no single field is to blame.
type fault struct{ Field, Label, Text string }

type donePage struct {
	page
	Flow     string
	Username string
	Ways     []way
}

type way struct{ Label, URL string }

type overPage struct {
	page
	Flow string
	Lead string
}

type noticePage struct {
	page
	Lead string
	Home bool
}

const noticeSent = "sent"

// registration shows where a registration stands. filled is what was sent last, where something was wrong with it.
func (p *Pages) registration(c *gin.Context, status int, reg flow.Registration, filled form) {
	base := p.page(c, reg.Title)
	if reg.Locale != "" {
		base.T = p.texts.in(reg.Locale, guard.LanguageWish(c.Request))
	}
	switch {
	case reg.Phase == flow.PhaseCompleted:
		base.Title = base.T.Say("done_title")
		p.render(c, status, "done.html", donePage{base, reg.Flow, reg.Username, waysOn(base.T, reg.ContinueWith)})
	case reg.Phase == flow.PhaseAborted:
		p.cookie.Clear(c.Writer)
		p.over(c, http.StatusGone, "over_attempts")
	case reg.Step == nil:
		base.Title = base.T.Say("pending_title")
		p.render(c, status, "pending.html", overPage{base, reg.Flow, base.T.Say("pending_lead")})
	default:
		p.render(c, status, "step.html", p.step(c, base, reg, filled))
	}
}

func (p *Pages) step(c *gin.Context, base page, reg flow.Registration, filled form) stepPage {
	s, t := *reg.Step, base.T
	v := stepPage{
		page: base, Flow: reg.Flow, Name: s.Name, Kind: s.Kind, Heading: heading(t, reg), Target: s.Target,
		Button: t.Say("continue_button"), Change: s.CanChange, Resend: !s.ResendAfter.IsZero(),
	}
	if s.Kind == "persist" {
		v.Button = t.Say("finish_button")
	}
	if wait := s.ResendAfter.Sub(p.now()); v.Resend && wait > 0 {
		v.Wait = waiting(t, "resend", wait)
	}
	if filled.problem == nil && c.Query("notice") == noticeSent && v.Resend {
		v.Notice = t.Say("sent_notice")
	}
	for _, f := range s.Fields {
		v.Fields = append(v.Fields, newField(t, f, filled))
	}
	v.Summary = summary(t, s, filled.problem)
	v.Several = len(v.Summary) > 0 && v.Summary[0].Label != ""
	if len(v.Summary) > 0 {
		v.Title = t.With("title_error", "Title", v.Heading)
	} else {
		v.Title = v.Heading
		focusFirst(v.Fields)
	}
	return v
}

func heading(t words, reg flow.Registration) string {
	s := reg.Step
	switch s.Kind {
	case "verify-email":
		return t.Say("heading_verify")
	case "username":
		return t.Say("heading_username")
	case "persist":
		return t.Say("heading_persist")
	}
	if len(s.Fields) > 0 && s.Fields[0].Type == "password" {
		return t.Say("heading_password")
	}
	return reg.Title
}

// summary lists everything that is wrong, in words, at the top of the page.
func summary(t words, s flow.StepView, p *flow.Problem) []fault {
	if p == nil {
		return nil
	}
	switch p.Code {
	case flow.CodeWrongCode:
		text := t.Say("wrong_code") + " " + t.Count("tries_left", p.AttemptsLeft)
		if len(s.Fields) > 0 {
			return []fault{{Field: fieldID(s.Fields[0].Name), Text: text}}
		}
		return []fault{{Text: text}}
	case flow.CodeRateLimited:
		return []fault{{Text: waiting(t, "problem", p.RetryAfter)}}
	case flow.CodeUnavailable, flow.CodeMalformed:
		return []fault{{Text: t.Say("problem_" + string(p.Code))}}
	default:
		return blamed(t, s, p)
	}
}

// blamed lists what is wrong with fields.
func blamed(t words, s flow.StepView, p *flow.Problem) []fault {
	var faults []fault
	for _, v := range p.Violations {
		f := fault{Text: v.Message}
		for _, field := range s.Fields {
			if field.Name == v.Field {
				f.Field, f.Label = fieldID(field.Name), field.Label
			}
		}
		faults = append(faults, f)
	}
	if len(faults) > 0 {
		return faults
	}
	if p.Code == flow.CodeIdentifierTaken {
		return []fault{{Text: t.Say("problem_identifier_taken")}}
	}
	return []fault{{Text: t.Say("problem_malformed")}}
}

// waiting tells a waiting time in seconds, or from two minutes on in minutes; never too short.
func waiting(t words, id string, wait time.Duration) string {
	if wait <= 2*time.Minute {
		return t.Count(id+"_seconds", max(1, int(math.Ceil(wait.Seconds()))))
	}
	return t.Count(id+"_minutes", int(math.Ceil(wait.Minutes())))
}

func waysOn(t words, continuations []flow.Continuation) []way {
	var ways []way
	for _, c := range continuations {
		label := ""
		switch c.Action {
		case "login":
			label = t.Say("done_login")
		case "redirect":
			label = t.Say("done_redirect")
		default:
			continue
		}
		if leadsOn(c.URL) {
			ways = append(ways, way{label, c.URL})
		}
	}
	return ways
}

// leadsOn tells whether an address is one of the web or a path of this host: nothing that a browser would run.
func leadsOn(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		return u.Host != ""
	}
	return u.Scheme == "" && u.Host == "" && strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "/\\")
}

// over says that a registration is no more, and offers a fresh start.
func (p *Pages) over(c *gin.Context, status int, id string) {
	base := p.page(c, "")
	base.Title = base.T.Say(id + "_title")
	p.render(c, status, "over.html", overPage{base, c.Param("flow"), base.T.Say(id + "_lead")})
}

// notice shows a page with a sentence on it.
func (p *Pages) notice(c *gin.Context, status int, id string, home bool) {
	base := p.page(c, "")
	base.Title = base.T.Say(id + "_title")
	if status >= http.StatusInternalServerError {
		base.RequestID = guard.RequestID(c.Request.Context())
	}
	p.render(c, status, "notice.html", noticePage{base, base.T.Say(id + "_lead"), home})
}
