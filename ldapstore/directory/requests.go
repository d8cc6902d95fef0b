package directory

import (
	"context"
	"fmt"
	"strconv"

	"github.com/go-ldap/ldap/v3"
)

// runner sends requests over some connection. repeatable says that a request changes nothing, so that it may be sent again
// when a connection turns out to be dead.
type runner interface {
	run(ctx context.Context, operation string, repeatable bool, send func(*ldap.Conn) error) error
	Server(ctx context.Context) (Server, error)
}

// requests are the Operations over a runner.
type requests struct{ runner }

func (r requests) Add(ctx context.Context, dn DN, attributes []Attribute) error {
	request := ldap.NewAddRequest(string(dn), nil)
	for _, a := range attributes {
		request.Attribute(a.Name, a.Values)
	}
	return r.run(ctx, "add", false, func(c *ldap.Conn) error { return c.Add(request) })
}

func (r requests) Modify(ctx context.Context, dn DN, changes []Change, assert Filter) error {
	controls, err := r.asserting(ctx, "modify", assert)
	if err != nil {
		return err
	}
	request := ldap.NewModifyRequest(string(dn), controls)
	for _, c := range changes {
		switch c.Kind {
		case AddValues:
			request.Add(c.Name, c.Values)
		case DeleteValues:
			request.Delete(c.Name, c.Values)
		case ReplaceValues:
			request.Replace(c.Name, c.Values)
		default:
			return fmt.Errorf("modify: %d is no kind of change", c.Kind)
		}
	}
	return r.run(ctx, "modify", false, func(c *ldap.Conn) error { return c.Modify(request) })
}

func (r requests) Move(ctx context.Context, dn, to DN, deleteOldRDN bool, assert Filter) error {
	controls, err := r.asserting(ctx, "move", assert)
	if err != nil {
		return err
	}
	rdn, parent, err := to.split()
	if err != nil {
		return fmt.Errorf("move: %w", err)
	}
	request := ldap.NewModifyDNWithControlsRequest(string(dn), rdn, deleteOldRDN, string(parent), controls)
	return r.run(ctx, "move", false, func(c *ldap.Conn) error { return c.ModifyDN(request) })
}

func (r requests) Delete(ctx context.Context, dn DN) error {
	request := ldap.NewDelRequest(string(dn), nil)
	return r.run(ctx, "delete", false, func(c *ldap.Conn) error { return c.Del(request) })
}

func (r requests) SetPassword(ctx context.Context, dn DN, password string) error {
	if password == "" {
		return fmt.Errorf("set password: %w", ErrEmptyPassword)
	}
	server, err := r.Server(ctx)
	if err != nil {
		return err
	}
	switch {
	case server.Kind == ActiveDirectory:
		request := ldap.NewModifyRequest(string(dn), nil)
		request.Replace("unicodePwd", []string{UnicodePassword(password)})
		return r.run(ctx, "set password", false, func(c *ldap.Conn) error { return c.Modify(request) })
	case !server.PasswordModify:
		return fmt.Errorf("set password: %w", ErrUnsupported)
	}
	request := ldap.NewPasswordModifyRequest(string(dn), "", password)
	return r.run(ctx, "set password", false, func(c *ldap.Conn) error {
		_, err := c.PasswordModify(request)
		return err
	})
}

func (r requests) Increment(ctx context.Context, dn DN, attribute string, by int64) (int64, error) {
	server, err := r.Server(ctx)
	if err != nil {
		return 0, err
	}
	if !server.Increment || !server.PreRead {
		return 0, fmt.Errorf("increment: %w", ErrUnsupported)
	}
	request := ldap.NewModifyRequest(string(dn), []ldap.Control{preRead{attribute}})
	request.Increment(attribute, strconv.FormatInt(by, 10))
	var before int64
	err = r.run(ctx, "increment", false, func(c *ldap.Conn) error {
		result, err := c.ModifyWithResult(request)
		if err != nil {
			return err
		}
		before, err = valueBefore(result.Controls, attribute)
		return err
	})
	return before, err
}

// WhoAmI asks whom the server takes the sender for (RFC 4532): "dn:…", "u:…", or "" for nobody.
func (r requests) WhoAmI(ctx context.Context) (string, error) {
	var name string
	err := r.run(ctx, "who am I", true, func(c *ldap.Conn) error {
		answer, err := c.WhoAmI(nil)
		if err == nil {
			name = answer.AuthzID
		}
		return err
	})
	return name, err
}

// asserting returns the control for assert. A server that does not list it is asked for nothing: some ignore a critical
// control that they do not know, and do without the condition.
func (r requests) asserting(ctx context.Context, operation string, assert Filter) ([]ldap.Control, error) {
	if assert.IsZero() {
		return nil, nil
	}
	server, err := r.Server(ctx)
	if err != nil {
		return nil, err
	}
	if !server.Assertion {
		return nil, fmt.Errorf("%s with an assertion: %w", operation, ErrUnsupported)
	}
	filter, err := ldap.CompileFilter(assert.text)
	if err != nil {
		return nil, fmt.Errorf("%s with an assertion: %w", operation, err)
	}
	return []ldap.Control{assertion{filter.Bytes()}}, nil
}
