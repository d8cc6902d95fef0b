package plugin_test

import (
	"context"
	"time"

	"github.com/narthex/narthex/plugin"
)

// bare is a store without capabilities whose answers a test writes. A nil function answers with something valid.
type bare struct {
	description plugin.Description
	create      func(context.Context, plugin.NewAccount) (plugin.Account, error)
	resolve     func(context.Context, plugin.Attempt, []plugin.Key) (plugin.Account, error)
	lookup      func(context.Context, plugin.Key) (plugin.Account, error)
	get         func(context.Context, plugin.ID) (plugin.Account, error)
	remove      func(context.Context, plugin.ID) error
	ping        func(context.Context) error
}

func (b *bare) Describe(context.Context) (plugin.Description, error) {
	d := b.description
	if d.Name == "" {
		d.Name = "scripted"
	}
	return d, nil
}

func (b *bare) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if b.create == nil {
		return plugin.Account{ID: "1", Username: a.Username(), Attributes: a.Attributes, CreatedAt: whole}, nil
	}
	return b.create(ctx, a)
}

func (b *bare) Resolve(ctx context.Context, attempt plugin.Attempt, keys []plugin.Key) (plugin.Account, error) {
	if b.resolve == nil {
		return plugin.Account{}, plugin.ErrNotFound
	}
	return b.resolve(ctx, attempt, keys)
}

func (b *bare) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	if b.lookup == nil {
		return plugin.Account{}, plugin.ErrNotFound
	}
	return b.lookup(ctx, k)
}

func (b *bare) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	if b.get == nil {
		return plugin.Account{ID: id, Username: "alice", CreatedAt: whole}, nil
	}
	return b.get(ctx, id)
}

func (b *bare) Delete(ctx context.Context, id plugin.ID) error {
	if b.remove == nil {
		return nil
	}
	return b.remove(ctx, id)
}

func (b *bare) Ping(ctx context.Context) error {
	if b.ping == nil {
		return nil
	}
	return b.ping(ctx)
}

// scripted has every capability as well.
type scripted struct {
	bare
	authenticate func(context.Context, plugin.Key, plugin.Secret) (plugin.Account, error)
	setPassword  func(context.Context, plugin.ID, plugin.Secret) error
	update       func(context.Context, plugin.ID, plugin.Change) (plugin.Account, error)
	list         func(context.Context, plugin.ListQuery) (plugin.Page, error)
	maintain     func(context.Context) (plugin.MaintainReport, error)
	statuses     func(context.Context, []plugin.ID) ([]plugin.Status, error)
	checkSchema  func(context.Context, []plugin.AttributeUse) (plugin.SchemaReport, error)
}

func (s *scripted) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	return s.authenticate(ctx, k, p)
}

func (s *scripted) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) error {
	return s.setPassword(ctx, id, p)
}

func (s *scripted) Update(ctx context.Context, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	return s.update(ctx, id, c)
}

func (s *scripted) List(ctx context.Context, q plugin.ListQuery) (plugin.Page, error) {
	return s.list(ctx, q)
}

func (s *scripted) Maintain(ctx context.Context) (plugin.MaintainReport, error) {
	return s.maintain(ctx)
}

func (s *scripted) Statuses(ctx context.Context, ids []plugin.ID) ([]plugin.Status, error) {
	return s.statuses(ctx, ids)
}

func (s *scripted) CheckSchema(ctx context.Context, uses []plugin.AttributeUse) (plugin.SchemaReport, error) {
	return s.checkSchema(ctx, uses)
}

var (
	_ plugin.Authenticator  = (*scripted)(nil)
	_ plugin.PasswordSetter = (*scripted)(nil)
	_ plugin.Updater        = (*scripted)(nil)
	_ plugin.Lister         = (*scripted)(nil)
	_ plugin.Maintainer     = (*scripted)(nil)
	_ plugin.StatusReader   = (*scripted)(nil)
	_ plugin.SchemaChecker  = (*scripted)(nil)
)

// whole is a time as accounts show it.
var whole = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const attempt plugin.Attempt = "0123456789abcdef0123456789abcdef"

func usernameKey(name string) plugin.Key {
	return plugin.Key{Kind: plugin.KindUsername, Canonical: "1:" + name, Value: name, Attribute: "uid", Login: true}
}

func emailKey(address string) plugin.Key {
	return plugin.Key{Kind: plugin.KindEmail, Canonical: "1:" + address, Value: address, Attribute: "mail", Login: true}
}

// newcomer is an account that every store takes.
func newcomer() plugin.NewAccount {
	return plugin.NewAccount{
		Attempt:    attempt,
		NotAfter:   time.Now().Add(plugin.CreateLifetime),
		Keys:       []plugin.Key{usernameKey("alice"), emailKey("alice@example.org")},
		Attributes: plugin.Attributes{"sn": {plugin.StringValue("Liddell")}},
		Password:   plugin.NewSecret("correct horse battery staple"),
	}
}
