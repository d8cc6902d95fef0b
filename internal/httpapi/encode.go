package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/httpapi/openapi"
)

// registrationResponse is the answer of every route that returns a registration. The generated responses cannot carry
// a cookie beside others.
type registrationResponse struct {
	status int
	reg    flow.Registration
	cookie guard.Cookie
}

func (a *api) created(reg flow.Registration) *registrationResponse {
	return &registrationResponse{http.StatusCreated, reg, a.cookie}
}

func (a *api) ok(reg flow.Registration) *registrationResponse {
	return &registrationResponse{http.StatusOK, reg, a.cookie}
}

func (r *registrationResponse) write(w http.ResponseWriter) error {
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(encodeRegistration(r.reg)); err != nil {
		return err
	}
	if !r.reg.Token.Empty() {
		r.cookie.Set(w, r.reg.Token)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(r.status)
	_, err := body.WriteTo(w)
	return err
}

// The routes that it answers.
func (r *registrationResponse) VisitStartRegistrationResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r *registrationResponse) VisitShowRegistrationResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r *registrationResponse) VisitAnswerStepResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r *registrationResponse) VisitResendMessageResponse(w http.ResponseWriter) error {
	return r.write(w)
}
func (r *registrationResponse) VisitChangeAddressResponse(w http.ResponseWriter) error {
	return r.write(w)
}

// abortedResponse says that nothing stayed.
type abortedResponse struct{ cookie guard.Cookie }

func (r abortedResponse) VisitAbortRegistrationResponse(w http.ResponseWriter) error {
	r.cookie.Clear(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func encodeFlows(list flow.FlowList) openapi.FlowList {
	out := openapi.FlowList{Enabled: list.Enabled, Default: list.Default, Flows: []openapi.FlowInfo{}}
	for _, f := range list.Flows {
		out.Flows = append(out.Flows, openapi.FlowInfo{Name: f.Name, Title: f.Title})
	}
	return out
}

func encodeRegistration(r flow.Registration) openapi.Registration {
	out := openapi.Registration{
		Flow:      r.Flow,
		Title:     r.Title,
		State:     openapi.RegistrationState(r.Phase),
		ExpiresAt: wholeSeconds(r.ExpiresAt),
		Locale:    r.Locale,
		Account:   openapi.RegisteredAccount{Username: r.Username},
		Token:     r.Token.Reveal(),
	}
	if r.Step != nil {
		out.Step = encodeStep(*r.Step)
	}
	for _, c := range r.ContinueWith {
		out.ContinueWith = append(out.ContinueWith, openapi.Continuation{Action: openapi.ContinuationAction(c.Action), Url: c.URL})
	}
	return out
}

func encodeStep(s flow.StepView) openapi.Step {
	out := openapi.Step{Name: s.Name, Kind: s.Kind, Fields: []openapi.Field{}, Target: s.Target, CanChange: s.CanChange}
	if !s.ResendAfter.IsZero() {
		out.ResendAfter = wholeSeconds(s.ResendAfter.Add(time.Second - 1)) // never too early
	}
	if s.AttemptsLeft >= 0 {
		out.AttemptsLeft = &s.AttemptsLeft
	}
	for _, f := range s.Fields {
		out.Fields = append(out.Fields, encodeField(f))
	}
	return out
}

func encodeField(f flow.Field) openapi.Field {
	out := openapi.Field{
		Name: f.Name, Type: openapi.FieldType(f.Type), Label: f.Label, Required: f.Required, Autocomplete: f.Autocomplete,
		Min: f.Min, Max: f.Max, MinDate: f.MinDate, MaxDate: f.MaxDate, Pattern: f.Pattern, Value: f.Value,
	}
	for _, o := range f.Options {
		out.Options = append(out.Options, openapi.Option{Value: o.Value, Label: o.Label})
	}
	return out
}

// wholeSeconds writes times without fractions: clients need none, and they would tell how long we took.
func wholeSeconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
