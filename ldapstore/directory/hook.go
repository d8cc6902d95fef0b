package directory

import "context"

// WithHook calls hook before every operation. An error of the hook is the operation's outcome: nothing is sent.
func WithHook(operations Operations, hook Hook) Operations { return hooked{operations, hook} }

type hooked struct {
	operations Operations
	hook       Hook
}

func (h hooked) Add(ctx context.Context, dn DN, attributes []Attribute) error {
	if err := h.hook(ctx, Operation{"add", dn}); err != nil {
		return err
	}
	return h.operations.Add(ctx, dn, attributes)
}

func (h hooked) Modify(ctx context.Context, dn DN, changes []Change, assert Filter) error {
	if err := h.hook(ctx, Operation{"modify", dn}); err != nil {
		return err
	}
	return h.operations.Modify(ctx, dn, changes, assert)
}

func (h hooked) Move(ctx context.Context, dn, to DN, deleteOldRDN bool, assert Filter) error {
	if err := h.hook(ctx, Operation{"move", dn}); err != nil {
		return err
	}
	return h.operations.Move(ctx, dn, to, deleteOldRDN, assert)
}

func (h hooked) Delete(ctx context.Context, dn DN) error {
	if err := h.hook(ctx, Operation{"delete", dn}); err != nil {
		return err
	}
	return h.operations.Delete(ctx, dn)
}

func (h hooked) Read(ctx context.Context, dn DN, attributes ...string) (Entry, error) {
	if err := h.hook(ctx, Operation{"read", dn}); err != nil {
		return Entry{}, err
	}
	return h.operations.Read(ctx, dn, attributes...)
}

func (h hooked) Search(ctx context.Context, base DN, scope Scope, filter Filter, limit int, attributes ...string) ([]Entry, error) {
	if err := h.hook(ctx, Operation{"search", base}); err != nil {
		return nil, err
	}
	return h.operations.Search(ctx, base, scope, filter, limit, attributes...)
}

func (h hooked) SetPassword(ctx context.Context, dn DN, password string) error {
	if err := h.hook(ctx, Operation{"password", dn}); err != nil {
		return err
	}
	return h.operations.SetPassword(ctx, dn, password)
}

func (h hooked) Increment(ctx context.Context, dn DN, attribute string, by int64) (int64, error) {
	if err := h.hook(ctx, Operation{"increment", dn}); err != nil {
		return 0, err
	}
	return h.operations.Increment(ctx, dn, attribute, by)
}
