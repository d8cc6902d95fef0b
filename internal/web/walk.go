package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
)

// home leads to the default flow; where that is closed, to the first that is open.
func (p *Pages) home(c *gin.Context) {
	list := p.flow.Flows(p.engineWish(c.Request))
	if !list.Enabled || len(list.Flows) == 0 {
		p.notice(c, http.StatusForbidden, "disabled", false)
		return
	}
	name := list.Flows[0].Name
	for _, f := range list.Flows {
		if f.Name == list.Default {
			name = f.Name
		}
	}
	target := "/register/" + url.PathEscape(name)
	if back := c.Query("return_to"); back != "" {
		target += "?return_to=" + url.QueryEscape(back)
	}
	c.Redirect(http.StatusFound, target)
}

// show shows where the browser's registration stands, or how to begin one. It changes nothing.
func (p *Pages) show(c *gin.Context) {
	token, err := p.cookie.Token(c.Request)
	if err != nil {
		p.notice(c, http.StatusBadRequest, "two_tokens", false)
		return
	}
	if token.Empty() {
		p.intro(c)
		return
	}
	reg, err := p.flow.Show(p.context(c.Request), token)
	switch {
	case err != nil:
		p.fail(c, err)
	case reg.Flow != c.Param("flow"):
		p.intro(c)
	default:
		p.registration(c, http.StatusOK, reg, form{})
	}
}

// intro offers to begin a registration in an open flow.
func (p *Pages) intro(c *gin.Context) {
	name := c.Param("flow")
	list := p.flow.Flows(p.engineWish(c.Request))
	page := introPage{page: p.page(p.words(c.Request, ""), name, "")}
	page.ReturnTo = c.Query("return_to")
	for _, f := range list.Flows {
		if f.Name == name {
			page.Title = f.Title
		} else {
			page.Others = append(page.Others, f)
		}
	}
	switch {
	case !list.Enabled:
		p.notice(c, http.StatusForbidden, "disabled", false)
	case page.Title == "":
		p.notice(c, http.StatusNotFound, "unknown_flow", true)
	default:
		p.render(c, http.StatusOK, "intro.html", page)
	}
}

// start begins a registration. A second click finds the one that the first has begun.
func (p *Pages) start(c *gin.Context, token flow.Token) {
	ctx := p.context(c.Request)
	if !token.Empty() {
		if reg, err := p.flow.Show(ctx, token); err == nil && reg.Flow == c.Param("flow") && reg.Phase == flow.PhaseOpen {
			toFlow(c, reg.Flow, "")
			return
		}
	}
	request := flow.StartRequest{Flow: c.Param("flow"), Locale: p.engineWish(c.Request), ReturnTo: c.Request.PostForm.Get("return_to")}
	reg, err := p.flow.Start(ctx, request)
	var problem *flow.Problem
	if request.ReturnTo != "" && errors.As(err, &problem) && problem.Code == flow.CodeInvalidInput {
		request.ReturnTo = "" // an address that is not allowed is left out; the person can register all the same
		reg, err = p.flow.Start(ctx, request)
	}
	p.went(c, reg, err, "")
}

// answer gives the answer to the step that the form was made for.
func (p *Pages) answer(c *gin.Context, token flow.Token) {
	reg, ok := p.current(c, token)
	if !ok {
		return
	}
	filled, err := readForm(*reg.Step, c.Request.PostForm)
	if err == nil {
		reg, err = p.flow.Answer(p.context(c.Request), token, c.Param("step"), filled.answer)
	}
	if err != nil {
		p.again(c, token, filled, err)
		return
	}
	p.went(c, reg, nil, "")
}

func (p *Pages) resend(c *gin.Context, token flow.Token) {
	if _, ok := p.current(c, token); !ok {
		return
	}
	reg, err := p.flow.Resend(p.context(c.Request), token, c.Param("step"))
	if err != nil {
		p.again(c, token, form{}, err)
		return
	}
	p.went(c, reg, nil, noticeSent)
}

func (p *Pages) change(c *gin.Context, token flow.Token) {
	if _, ok := p.current(c, token); !ok {
		return
	}
	reg, err := p.flow.Change(p.context(c.Request), token, c.Param("step"))
	if err != nil {
		p.again(c, token, form{}, err)
		return
	}
	p.went(c, reg, nil, "")
}

func (p *Pages) abort(c *gin.Context, token flow.Token) {
	if !token.Empty() {
		var problem *flow.Problem
		err := p.flow.Abort(p.context(c.Request), token)
		if err != nil && (!errors.As(err, &problem) || problem.Code != flow.CodeRegistrationGone) {
			p.again(c, token, form{}, err)
			return
		}
	}
	p.cookie.Clear(c.Writer)
	p.over(c, http.StatusOK, "over_aborted")
}

// current returns the registration when it stands at the step that the form was made for. Otherwise the form is an old
// one (a second click, the back button): the browser is led to where the registration stands.
func (p *Pages) current(c *gin.Context, token flow.Token) (flow.Registration, bool) {
	if token.Empty() {
		p.fail(c, &flow.Problem{Code: flow.CodeRegistrationGone})
		return flow.Registration{}, false
	}
	reg, err := p.flow.Show(p.context(c.Request), token)
	if err != nil {
		p.fail(c, err)
		return flow.Registration{}, false
	}
	if reg.Flow != c.Param("flow") || reg.Step == nil || reg.Step.Name != c.Param("step") {
		toFlow(c, reg.Flow, "")
		return flow.Registration{}, false
	}
	return reg, true
}

// went hands over a new token and leads to where the registration stands now, so that a reload repeats nothing.
func (p *Pages) went(c *gin.Context, reg flow.Registration, err error, notice string) {
	if err != nil {
		p.fail(c, err)
		return
	}
	if !reg.Token.Empty() {
		p.cookie.Set(c.Writer, reg.Token)
	}
	toFlow(c, reg.Flow, notice)
}

// again shows the current step once more with what went wrong.
func (p *Pages) again(c *gin.Context, token flow.Token, filled form, err error) {
	problem, _ := httpapi.AsProblem(err)
	switch problem.Code {
	case flow.CodeUnexpectedStep:
		toFlow(c, c.Param("flow"), "")
		return
	case flow.CodeInvalidInput, flow.CodeMalformed, flow.CodeWrongCode, flow.CodeIdentifierTaken, flow.CodeRateLimited, flow.CodeUnavailable:
	default:
		p.fail(c, err)
		return
	}
	reg, showErr := p.flow.Show(p.context(c.Request), token)
	if showErr != nil {
		p.fail(c, showErr)
		return
	}
	problem, status := httpapi.Report(c, p.log, err)
	if problem.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(httpapi.RetryAfterSeconds(problem)))
	}
	if filled.step != "" && reg.Step != nil && reg.Step.Name != filled.step {
		filled.values = nil // the registration was led back; the engine knows what was entered there
	}
	filled.problem = problem
	p.registration(c, status, reg, filled)
}

// fail shows the page of a problem that no step can mend.
func (p *Pages) fail(c *gin.Context, err error) {
	problem, status := httpapi.Report(c, p.log, err)
	switch problem.Code {
	case flow.CodeRegistrationGone:
		p.cookie.Clear(c.Writer)
		p.over(c, status, "over_gone")
	case flow.CodeTooManyAttempts:
		p.cookie.Clear(c.Writer)
		p.over(c, status, "over_attempts")
	case flow.CodeUnexpectedStep:
		toFlow(c, c.Param("flow"), "")
	case flow.CodeDisabled:
		p.notice(c, status, "disabled", false)
	case flow.CodeUnknownFlow:
		p.notice(c, status, "unknown_flow", true)
	case flow.CodeRateLimited:
		p.wait(c, status, "rate_limited", problem)
	case flow.CodeUnavailable:
		p.wait(c, status, "busy", problem)
	case flow.CodeMalformed, flow.CodeInvalidInput:
		p.notice(c, status, "form", true)
	default:
		p.notice(c, http.StatusInternalServerError, "internal", true)
	}
}
