package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

func (c *client) Authenticate(ctx context.Context, k Key, p Secret) (Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return Account{}, opAuthenticate.wrap(err, nil)
	}
	if !p.usable() {
		return Account{}, opAuthenticate.wrap(ErrDenied, nil)
	}
	return c.account(ctx, opAuthenticate, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Account, error) {
		return rpc.Authenticate(ctx, &pb.AuthenticateRequest{Key: keyToWire(k), Password: p.Reveal()})
	})
}

func (c *client) SetPassword(ctx context.Context, id ID, p Secret) error {
	if err := validateSetPassword(id, p, c.of); err != nil {
		return opSetPassword.wrap(err, nil)
	}
	_, err := call(ctx, c, opSetPassword, func(ctx context.Context, rpc pb.PersisterClient) (*pb.SetPasswordReply, error) {
		return rpc.SetPassword(ctx, &pb.SetPasswordRequest{Id: string(id), Password: p.Reveal()})
	})
	return err
}

func (c *client) Update(ctx context.Context, id ID, change Change) (Account, error) {
	if err := cmp.Or(id.Validate(), change.Validate(), change.within(c.of)); err != nil {
		return Account{}, opUpdate.wrap(err, nil)
	}
	return c.accountOf(ctx, id, opUpdate, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Account, error) {
		return rpc.Update(ctx, &pb.UpdateRequest{Id: string(id), Change: changeToWire(change)})
	})
}

func (c *client) List(ctx context.Context, q ListQuery) (Page, error) {
	if err := q.Validate(); err != nil {
		return Page{}, opList.wrap(err, nil)
	}
	reply, err := call(ctx, c, opList, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Page, error) {
		return rpc.List(ctx, listQueryToWire(q))
	})
	if err != nil {
		return Page{}, err
	}
	page := pageFromWire(reply)
	if err := page.answers(q); err != nil {
		return Page{}, opList.badReply(err)
	}
	return page, nil
}

func (c *client) Maintain(ctx context.Context) (MaintainReport, error) {
	reply, err := call(ctx, c, opMaintain, func(ctx context.Context, rpc pb.PersisterClient) (*pb.MaintainReport, error) {
		return rpc.Maintain(ctx, &pb.MaintainRequest{})
	})
	if err != nil {
		return MaintainReport{}, err
	}
	report := maintainReportFromWire(reply)
	if report.Finished < 0 || report.Removed < 0 {
		return MaintainReport{}, opMaintain.badReply(errors.New("it counts less than nothing"))
	}
	return report, nil
}

func (c *client) Statuses(ctx context.Context, ids []ID) ([]Status, error) {
	if err := validateIDs(ids); err != nil {
		return nil, opStatuses.wrap(err, nil)
	}
	reply, err := call(ctx, c, opStatuses, func(ctx context.Context, rpc pb.PersisterClient) (*pb.StatusesReply, error) {
		return rpc.Statuses(ctx, &pb.StatusesRequest{Ids: texts[string](ids)})
	})
	if err != nil {
		return nil, err
	}
	statuses := list(reply.GetStatuses(), statusFromWire)
	if err := statusesAnswer(statuses, ids); err != nil {
		return nil, opStatuses.badReply(err)
	}
	return statuses, nil
}

func (c *client) CheckSchema(ctx context.Context, uses []AttributeUse) (SchemaReport, error) {
	if err := validateUses(uses); err != nil {
		return SchemaReport{}, opCheckSchema.wrap(err, nil)
	}
	reply, err := call(ctx, c, opCheckSchema, func(ctx context.Context, rpc pb.PersisterClient) (*pb.SchemaReport, error) {
		return rpc.CheckSchema(ctx, &pb.CheckSchemaRequest{Uses: list(uses, useToWire)})
	})
	if err != nil {
		return SchemaReport{}, err
	}
	report := schemaReportFromWire(reply)
	if err := report.Validate(); err != nil {
		return SchemaReport{}, opCheckSchema.badReply(err)
	}
	return report, nil
}

// answers checks that a page can be the answer to a query.
func (p Page) answers(q ListQuery) error {
	switch {
	case len(p.Accounts) > q.Limit:
		return fmt.Errorf("the page has %d accounts, asked for were %d", len(p.Accounts), q.Limit)
	case len(p.Next) > MaxTokenBytes || !validText(p.Next):
		return errors.New("the token of the next page is not valid")
	case p.Next != "" && p.Next == q.After:
		return errors.New("the next page is this one")
	}
	seen := make(map[ID]bool, len(p.Accounts))
	for _, a := range p.Accounts {
		if err := a.Validate(); err != nil {
			return err
		}
		if seen[a.ID] {
			return errors.New("an account stands twice on the page")
		}
		seen[a.ID] = true
	}
	return nil
}

// statusesAnswer checks that every account asked for is reported once, and no other.
func statusesAnswer(statuses []Status, ids []ID) error {
	if len(statuses) != len(ids) {
		return fmt.Errorf("%d accounts are reported, asked for were %d", len(statuses), len(ids))
	}
	open := make(map[ID]bool, len(ids))
	for _, id := range ids {
		open[id] = true
	}
	for _, s := range statuses {
		if !open[s.ID] {
			return errors.New("it reports another account")
		}
		delete(open, s.ID)
	}
	return nil
}
