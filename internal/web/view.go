package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

// page is what every template has.
type page struct {
	T         words
	Title     string
	Style     string // path of the style sheet
	Icon      string // path of the icon
	Languages []choice
	Flow      string // its name; empty on pages that belong to none
	ReturnTo  string
	RequestID string

	assets *assets
}

// Static returns the path of a file that the theme has under static/.
func (p page) Static(name string) (string, error) {
	if _, there := p.assets.files[staticFolder+name]; !there {
		return "", fmt.Errorf("the theme has no file %s%s", staticFolder, name)
	}
	return p.assets.path(staticFolder + name), nil
}

func (p *Pages) page(t words, flowName, title string) page {
	return page{
		T: t, Title: title, Style: p.assets.path("style.css"), Icon: p.assets.path("icon.svg"),
		Languages: p.choices(t.Lang), Flow: flowName, assets: p.assets,
	}
}

type introPage struct {
	page
	Others []flow.FlowInfo
}

// stepPage asks for one step.
type stepPage struct {
	page
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
	Account string // whose password is chosen, for password managers
}

// fault is one line of the summary of what is wrong; Field is empty where no single field is to blame.
type fault struct{ Field, Label, Text string }

type donePage struct {
	page
	Username string
	Ways     []way
}

type way struct{ Label, URL string }

type overPage struct {
	page
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
	t := p.words(c.Request, reg.Locale)
	base := p.page(t, reg.Flow, reg.Title)
	switch {
	case reg.Phase == flow.PhaseCompleted:
		p.render(c, status, "done.html", done(base, reg))
	case reg.Phase == flow.PhaseAborted:
		p.cookie.Clear(c.Writer)
		p.over(c, http.StatusGone, "over_attempts")
	case reg.Step == nil:
		base.Title = t.Say("pending_title")
		p.render(c, status, "pending.html", overPage{base, t.Say("pending_lead")})
	default:
		p.render(c, status, "step.html", p.step(base, reg, filled, c.Query("notice") == noticeSent))
	}
}

func done(base page, reg flow.Registration) donePage {
	base.Title = base.T.Say("done_title")
	return donePage{base, reg.Username, waysOn(base.T, reg.ContinueWith)}
}

func (p *Pages) step(base page, reg flow.Registration, filled form, sent bool) stepPage {
	s, t := *reg.Step, base.T
	v := stepPage{
		page: base, Name: s.Name, Kind: s.Kind, Heading: heading(t, reg), Target: s.Target,
		Button: t.Say("continue_button"), Change: s.CanChange, Resend: !s.ResendAfter.IsZero(),
	}
	if s.Kind == "persist" {
		v.Button = t.Say("finish_button")
	}
	if wait := s.ResendAfter.Sub(p.now()); v.Resend && wait > 0 {
		v.Wait = waiting(t, "resend", wait)
	}
	if filled.problem == nil && sent && v.Resend {
		v.Notice = t.Say("sent_notice")
	}
	for _, f := range s.Fields {
		v.Fields = append(v.Fields, newField(t, f, filled))
	}
	if s.Target != "" && len(v.Fields) > 0 { // whoever hears the page begins at the field, and must hear where the message went
		v.Fields[0].DescribedBy = strings.TrimSpace("target " + v.Fields[0].DescribedBy)
	}
	if managed(s.Fields) {
		v.Account = reg.Identifier
	}
	v.Title, v.Summary = v.Heading, summary(t, s, filled.problem)
	if len(v.Summary) > 0 {
		v.Title = t.With("title_error", "Title", v.Heading)
	}
	if len(v.Fields) == 1 && len(v.Fields[0].Errors) > 0 {
		v.Summary = nil // it stands at the one field, and the cursor is there
	}
	v.Several = len(v.Summary) > 0 && v.Summary[0].Label != ""
	if len(v.Summary) == 0 {
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
	t := p.words(c.Request, "")
	p.render(c, status, "over.html", overPage{p.page(t, c.Param("flow"), t.Say(id+"_title")), t.Say(id + "_lead")})
}

// notice shows a page with a sentence on it.
func (p *Pages) notice(c *gin.Context, status int, id string, home bool) {
	t := p.words(c.Request, "")
	v := noticePage{p.page(t, "", t.Say(id+"_title")), t.Say(id + "_lead"), home}
	if status >= http.StatusInternalServerError {
		v.RequestID = guard.RequestID(c.Request.Context())
	}
	p.render(c, status, "notice.html", v)
}

// wait shows a page that tells how long to wait before it is worth trying again.
func (p *Pages) wait(c *gin.Context, status int, id string, problem *flow.Problem) {
	c.Header("Retry-After", strconv.Itoa(httpapi.RetryAfterSeconds(problem)))
	t := p.words(c.Request, "")
	lead := t.Say(id+"_lead") + " " + waiting(t, "again", problem.RetryAfter)
	p.render(c, status, "notice.html", noticePage{p.page(t, "", t.Say(id+"_title")), lead, true})
}
