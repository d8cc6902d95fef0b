package httpapi

import (
	"context"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/openapi"
)

// Login passes identifier and password on as they came. What is wrong with them is not told apart here either.
func (a *api) Login(ctx context.Context, in openapi.LoginRequestObject) (openapi.LoginResponseObject, error) {
	c := request(ctx)
	if a.origin.Foreign(c.Request) {
		return nil, &flow.Problem{Code: codeCrossOrigin}
	}
	if err := requireMembers(c, "identifier", "password"); err != nil {
		return nil, err
	}
	account, err := a.login.Login(c.Request.Context(), in.Body.Identifier, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return openapi.Login200JSONResponse{Account: openapi.Account{Id: string(account.ID), Username: account.Username}}, nil
}
