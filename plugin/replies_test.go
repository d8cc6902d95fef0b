package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/persisterpb"
)

// raw is a persister in another language: it says on the wire whatever it likes.
type raw struct {
	persisterpb.UnimplementedPersisterServer
	described   *persisterpb.Description
	undescribed func(context.Context) error // why it has no description
	account     *persisterpb.Account
	store       *scripted
}

func wireDescription() *persisterpb.Description {
	return &persisterpb.Description{
		Name: "raw", Contract: plugin.ContractVersion,
		Capabilities: []string{"updater", "lister", "statuses", "authenticator", "maintainer"},
	}
}

func (r *raw) Describe(ctx context.Context, _ *persisterpb.DescribeRequest) (*persisterpb.Description, error) {
	if r.undescribed != nil {
		return nil, r.undescribed(ctx)
	}
	return r.described, nil
}

func (r *raw) Get(ctx context.Context, _ *persisterpb.GetRequest) (*persisterpb.Account, error) {
	if r.store != nil {
		_, err := r.store.Get(ctx, "1")
		return &persisterpb.Account{}, err
	}
	return r.account, nil
}

func (r *raw) Create(context.Context, *persisterpb.NewAccount) (*persisterpb.Account, error) {
	return r.account, nil
}

func (r *raw) Resolve(context.Context, *persisterpb.ResolveRequest) (*persisterpb.Account, error) {
	return r.account, nil
}

func (r *raw) Update(ctx context.Context, _ *persisterpb.UpdateRequest) (*persisterpb.Account, error) {
	if r.store != nil {
		_, err := r.store.Update(ctx, "1", plugin.Change{})
		return &persisterpb.Account{}, err
	}
	return r.account, nil
}

func connect(t *testing.T, r *raw) plugin.Backend {
	t.Helper()
	b, stop, err := plugin.Connect(t.Context(), func(s grpc.ServiceRegistrar) { persisterpb.RegisterPersisterServer(s, r) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return b
}

func TestDescriptionsThatBreakTheContractAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		alter func(*persisterpb.Description)
		want  string
	}{
		"unknown capability":  {func(d *persisterpb.Description) { d.Capabilities = append(d.Capabilities, "teleporter") }, `unknown capability "teleporter"`},
		"capability twice":    {func(d *persisterpb.Description) { d.Capabilities = append(d.Capabilities, "lister") }, `"lister" stands twice`},
		"unknown value type":  {func(d *persisterpb.Description) { d.ValueTypes = []string{"photo"} }, `unknown value type "photo"`},
		"other version":       {func(d *persisterpb.Description) { d.Contract = 3 }, "speaks version 3 of the contract"},
		"limit above ours":    {func(d *persisterpb.Description) { d.Limits = &persisterpb.Limits{MaxValueBytes: 1 << 40} }, "a limit of 1099511627776"},
		"negative limit":      {func(d *persisterpb.Description) { d.Limits = &persisterpb.Limits{MaxKeys: -1} }, "a limit of -1"},
		"name for a terminal": {func(d *persisterpb.Description) { d.Name = "\x1b[2J" }, "the name of a store"},
		"no name":             {func(d *persisterpb.Description) { d.Name = "" }, "the name of a store"},
	} {
		t.Run(name, func(t *testing.T) {
			d := wireDescription()
			c.alter(d)
			_, _, err := plugin.Connect(t.Context(), func(s grpc.ServiceRegistrar) {
				persisterpb.RegisterPersisterServer(s, &raw{described: d})
			})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		})
	}
}

func TestAccountsThatBreakTheContractAreRefused(t *testing.T) {
	for name, alter := range map[string]func(*persisterpb.Account){
		"another id":      func(a *persisterpb.Account) { a.Id = "2" },
		"no id":           func(a *persisterpb.Account) { a.Id = "" },
		"id with a space": func(a *persisterpb.Account) { a.Id = "1 2" },
		"no username":     func(a *persisterpb.Account) { a.Username = "" },
		"NUL in username": func(a *persisterpb.Account) { a.Username = "a\x00" },
		"unknown type":    func(a *persisterpb.Account) { a.Attributes = attribute("photo", "x") },
		"not a boolean":   func(a *persisterpb.Account) { a.Attributes = attribute("boolean", "yes") },
		"too long a value": func(a *persisterpb.Account) {
			a.Attributes = attribute("string", strings.Repeat("x", plugin.MaxValueBytes+1))
		},
		"too long a reason": func(a *persisterpb.Account) {
			a.State = &persisterpb.State{Locked: true, Reason: strings.Repeat("x", plugin.MaxReasonBytes+1)}
		},
		"a group twice": func(a *persisterpb.Account) { a.Groups = []string{"a", "a"} },
	} {
		t.Run(name, func(t *testing.T) {
			account := &persisterpb.Account{Id: "1", Username: "alice"}
			alter(account)
			b := connect(t, &raw{described: wireDescription(), account: account})
			got, err := b.Get(t.Context(), "1")
			isExactly(t, err)
			if !strings.Contains(fmt.Sprint(err), "breaks the contract") || got.ID != "" || got.Username != "" {
				t.Errorf("got %+v, %v", got, err)
			}
			_, err = b.Updater.Update(t.Context(), "1", lock)
			isExactly(t, err, plugin.ErrUnknownOutcome)
		})
	}
}

// TestANewAccountHasTheUsernameThatWasAskedFor: the host hands out tickets for what a store answers here.
func TestANewAccountHasTheUsernameThatWasAskedFor(t *testing.T) {
	for name, c := range map[string]struct {
		username string
		refused  bool
	}{
		"the one asked for":              {"alice", false},
		"as a directory spells it":       {"Alice", false},
		"somebody else's":                {"mallory", true},
		"a longer one":                   {"alice2", true},
		"a shorter one":                  {"alic", true},
		"the canonical key for the name": {"1:alice", true},
		"the address for the name":       {"alice@example.org", true},
		"a space behind it":              {"alice ", true},
		"a letter that looks like one":   {"\u0430lice", true}, // Cyrillic a
	} {
		t.Run(name, func(t *testing.T) {
			b := connect(t, &raw{described: wireDescription(), account: &persisterpb.Account{Id: "1", Username: c.username}})
			made, created := b.Create(t.Context(), newcomer())
			found, resolved := b.Resolve(t.Context(), attempt, newcomer().Keys)
			for _, one := range []struct {
				call    string
				account plugin.Account
				err     error
			}{{"Create", made, created}, {"Resolve", found, resolved}} {
				if !c.refused {
					if one.err != nil || one.account.Username != c.username {
						t.Errorf("%s answers %+v, %v", one.call, one.account, one.err)
					}
					continue
				}
				isExactly(t, one.err, plugin.ErrUnknownOutcome)
				if !strings.Contains(fmt.Sprint(one.err), "breaks the contract") || one.account.ID != "" || one.account.Username != "" {
					t.Errorf("%s answers %+v, %v", one.call, one.account, one.err)
				}
				if strings.Contains(fmt.Sprint(one.err), c.username) {
					t.Errorf("the error of %s names a person: %v", one.call, one.err)
				}
			}
		})
	}
}

func attribute(kind, text string) map[string]*persisterpb.Values {
	return map[string]*persisterpb.Values{"a": {Values: []*persisterpb.Value{{Type: kind, Text: text}}}}
}

func TestAnOversizedReplyIsRefused(t *testing.T) {
	account := &persisterpb.Account{Id: "1", Username: strings.Repeat("x", plugin.MaxMessageBytes+1)}
	b := connect(t, &raw{described: wireDescription(), account: account})
	if _, err := b.Get(t.Context(), "1"); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("got %v", err)
	}
	_, err := b.Create(t.Context(), newcomer())
	isExactly(t, err, plugin.ErrUnknownOutcome)
}

func TestACallThatThePersisterDoesNotKnowIsUnsupported(t *testing.T) {
	b := connect(t, &raw{described: wireDescription()})
	_, err := b.Lister.List(t.Context(), plugin.ListQuery{Limit: 1})
	isExactly(t, err, errors.ErrUnsupported)
	if b.PasswordSetter != nil {
		t.Error("a capability is offered that is not listed")
	}
	if b.SchemaChecker == nil {
		t.Error("a persister without a schema is answered for")
	}
}

func TestPagesThatBreakTheContractAreRefused(t *testing.T) {
	account := func(id plugin.ID) plugin.Account { return plugin.Account{ID: id, Username: "alice", CreatedAt: whole} }
	for name, page := range map[string]plugin.Page{
		"more than asked for": {Accounts: []plugin.Account{account("1"), account("2"), account("3")}},
		"an account twice":    {Accounts: []plugin.Account{account("1"), account("1")}},
		"a broken account":    {Accounts: []plugin.Account{{ID: "1"}}},
		"the same page again": {Next: "here"},
		"a token too long":    {Next: strings.Repeat("x", plugin.MaxTokenBytes+1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{list: func(context.Context, plugin.ListQuery) (plugin.Page, error) { return page, nil }}
			_, err := overWire(t, s).Lister.List(t.Context(), plugin.ListQuery{After: "here", Limit: 2})
			if isExactly(t, err); !strings.Contains(fmt.Sprint(err), "breaks the contract") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestStatusesThatBreakTheContractAreRefused(t *testing.T) {
	for name, answer := range map[string][]plugin.Status{
		"another account": {{ID: "1"}, {ID: "3"}},
		"one twice":       {{ID: "1"}, {ID: "1"}},
		"one missing":     {{ID: "1"}},
		"one too many":    {{ID: "1"}, {ID: "2"}, {ID: "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scripted{statuses: func(context.Context, []plugin.ID) ([]plugin.Status, error) { return answer, nil }}
			_, err := overWire(t, s).Statuses.Statuses(t.Context(), []plugin.ID{"1", "2"})
			if isExactly(t, err); !strings.Contains(fmt.Sprint(err), "breaks the contract") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAPageThatIsTooLargeForAMessageIsCutDown(t *testing.T) {
	large := plugin.Attributes{}
	for i := range 60 {
		large[fmt.Sprint("a", i)] = []plugin.Value{plugin.StringValue(strings.Repeat("x", 4000))}
	}
	s := &scripted{list: func(_ context.Context, q plugin.ListQuery) (plugin.Page, error) {
		var page plugin.Page
		for i := range q.Limit {
			page.Accounts = append(page.Accounts, plugin.Account{ID: plugin.ID(fmt.Sprint(i)), Username: "x", Attributes: large})
		}
		page.Next = "more"
		return page, nil
	}}
	page, err := overWire(t, s).Lister.List(t.Context(), plugin.ListQuery{Limit: plugin.MaxPage})
	if err != nil || len(page.Accounts) == 0 || len(page.Accounts) >= plugin.MaxPage || page.Next != "more" {
		t.Errorf("%d accounts, next %q, %v", len(page.Accounts), page.Next, err)
	}
}

// TestTheServerTrustsNoHost sends what our own client would never send.
func TestTheServerTrustsNoHost(t *testing.T) {
	reached := func() { t.Error("the store sees what breaks the contract") }
	s := &scripted{
		authenticate: func(context.Context, plugin.Key, plugin.Secret) (plugin.Account, error) {
			reached()
			return plugin.Account{}, nil
		},
		setPassword: func(context.Context, plugin.ID, plugin.Secret) error { reached(); return nil },
		update: func(context.Context, plugin.ID, plugin.Change) (plugin.Account, error) {
			reached()
			return plugin.Account{}, nil
		},
		list:     func(context.Context, plugin.ListQuery) (plugin.Page, error) { reached(); return plugin.Page{}, nil },
		statuses: func(context.Context, []plugin.ID) ([]plugin.Status, error) { reached(); return nil, nil },
		checkSchema: func(context.Context, []plugin.AttributeUse) (plugin.SchemaReport, error) {
			reached()
			return plugin.SchemaReport{}, nil
		},
	}
	s.create = func(context.Context, plugin.NewAccount) (plugin.Account, error) {
		reached()
		return plugin.Account{}, nil
	}
	s.resolve = func(context.Context, plugin.Attempt, []plugin.Key) (plugin.Account, error) {
		reached()
		return plugin.Account{}, nil
	}
	s.lookup = func(context.Context, plugin.Key) (plugin.Account, error) { reached(); return plugin.Account{}, nil }
	s.get = func(context.Context, plugin.ID) (plugin.Account, error) { reached(); return plugin.Account{}, nil }
	s.remove = func(context.Context, plugin.ID) error { reached(); return nil }
	rpc := plugin.Raw(overWire(t, s))
	key := &persisterpb.Key{Kind: "username", Canonical: "1:a", Value: "a", Attribute: "uid"}
	for name, send := range map[string]func(context.Context) (proto.Message, error){
		"create": func(ctx context.Context) (proto.Message, error) { return rpc.Create(ctx, &persisterpb.NewAccount{}) },
		"resolve": func(ctx context.Context) (proto.Message, error) {
			return rpc.Resolve(ctx, &persisterpb.ResolveRequest{})
		},
		"lookup": func(ctx context.Context) (proto.Message, error) { return rpc.Lookup(ctx, &persisterpb.LookupRequest{}) },
		"get":    func(ctx context.Context) (proto.Message, error) { return rpc.Get(ctx, &persisterpb.GetRequest{}) },
		"delete": func(ctx context.Context) (proto.Message, error) { return rpc.Delete(ctx, &persisterpb.DeleteRequest{}) },
		"update": func(ctx context.Context) (proto.Message, error) {
			return rpc.Update(ctx, &persisterpb.UpdateRequest{Id: "1"})
		},
		"list": func(ctx context.Context) (proto.Message, error) {
			return rpc.List(ctx, &persisterpb.ListQuery{Limit: 501})
		},
		"statuses": func(ctx context.Context) (proto.Message, error) {
			return rpc.Statuses(ctx, &persisterpb.StatusesRequest{Ids: []string{""}})
		},
		"check schema": func(ctx context.Context) (proto.Message, error) {
			return rpc.CheckSchema(ctx, &persisterpb.CheckSchemaRequest{Uses: []*persisterpb.AttributeUse{{Attribute: "a", Type: "photo"}}})
		},
		"set no password": func(ctx context.Context) (proto.Message, error) {
			return rpc.SetPassword(ctx, &persisterpb.SetPasswordRequest{Id: "1"})
		},
		"empty password": func(ctx context.Context) (proto.Message, error) {
			return rpc.Authenticate(ctx, &persisterpb.AuthenticateRequest{Key: key})
		},
		"password of NUL": func(ctx context.Context) (proto.Message, error) {
			return rpc.Authenticate(ctx, &persisterpb.AuthenticateRequest{Key: key, Password: "\x00"})
		},
		"password too long": func(ctx context.Context) (proto.Message, error) {
			return rpc.Authenticate(ctx, &persisterpb.AuthenticateRequest{Key: key, Password: strings.Repeat("x", plugin.MaxPasswordBytes+1)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, err := send(ctx); err == nil {
				t.Error("accepted")
			}
		})
	}
}
