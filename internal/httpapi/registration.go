package httpapi

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/httpapi/openapi"
)

// request returns the HTTP request behind a handler's context. gin gives its own context, which it uses again for
// other requests: it must not travel further than the handler.
func request(ctx context.Context) *gin.Context { return ctx.(*gin.Context) }

func (a *api) ListFlows(ctx context.Context, _ openapi.ListFlowsRequestObject) (openapi.ListFlowsResponseObject, error) {
	list := a.flow.Flows(guard.LanguageWish(request(ctx).Request))
	return openapi.ListFlows200JSONResponse(encodeFlows(list)), nil
}

func (a *api) StartRegistration(ctx context.Context, in openapi.StartRegistrationRequestObject) (openapi.StartRegistrationResponseObject, error) {
	r := request(ctx).Request
	if a.origin.Foreign(r) {
		return nil, &flow.Problem{Code: codeCrossOrigin}
	}
	locale := guard.LanguageWish(r)
	if in.Body.Locale != "" {
		var ok bool
		if locale, ok = guard.CanonicalLanguage(in.Body.Locale); !ok {
			return nil, malformed("/locale", detailLanguage, nil)
		}
	}
	reg, err := a.flow.Start(r.Context(), flow.StartRequest{Flow: in.Body.Flow, Locale: locale, ReturnTo: in.Body.ReturnTo})
	if err != nil {
		return nil, err
	}
	return a.created(reg), nil
}

func (a *api) ShowRegistration(ctx context.Context, _ openapi.ShowRegistrationRequestObject) (openapi.ShowRegistrationResponseObject, error) {
	return a.withToken(ctx, a.flow.Show)
}

func (a *api) AnswerStep(ctx context.Context, in openapi.AnswerStepRequestObject) (openapi.AnswerStepResponseObject, error) {
	return a.withToken(ctx, func(ctx context.Context, t flow.Token) (flow.Registration, error) {
		return a.flow.Answer(ctx, t, in.Step, *in.Body)
	})
}

func (a *api) ResendMessage(ctx context.Context, in openapi.ResendMessageRequestObject) (openapi.ResendMessageResponseObject, error) {
	return a.withToken(ctx, func(ctx context.Context, t flow.Token) (flow.Registration, error) {
		return a.flow.Resend(ctx, t, in.Step)
	})
}

func (a *api) ChangeAddress(ctx context.Context, in openapi.ChangeAddressRequestObject) (openapi.ChangeAddressResponseObject, error) {
	return a.withToken(ctx, func(ctx context.Context, t flow.Token) (flow.Registration, error) {
		return a.flow.Change(ctx, t, in.Step)
	})
}

func (a *api) AbortRegistration(ctx context.Context, _ openapi.AbortRegistrationRequestObject) (openapi.AbortRegistrationResponseObject, error) {
	r := request(ctx).Request
	token, err := a.token(r)
	if err != nil {
		return nil, err
	}
	if err := a.flow.Abort(r.Context(), token); err != nil {
		return nil, err
	}
	return abortedResponse{a.cookie}, nil
}

// withToken does something with the registration that the request's token opens.
func (a *api) withToken(ctx context.Context, do func(context.Context, flow.Token) (flow.Registration, error)) (*registrationResponse, error) {
	r := request(ctx).Request
	token, err := a.token(r)
	if err != nil {
		return nil, err
	}
	reg, err := do(r.Context(), token)
	if err != nil {
		return nil, err
	}
	return a.ok(reg), nil
}
