package telemetry

import (
	"context"

	"github.com/narthex/narthex/plugin"
)

type measuredAuthenticator struct {
	plugin.Authenticator
	t *Telemetry
}

// Authenticate implements plugin.Authenticator.
func (m measuredAuthenticator) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (a plugin.Account, err error) {
	ctx, end := m.t.call(ctx, "authenticate")
	defer func() { end(err) }()
	return m.Authenticator.Authenticate(ctx, k, p)
}

type measuredPasswordSetter struct {
	plugin.PasswordSetter
	t *Telemetry
}

// SetPassword implements plugin.PasswordSetter.
func (m measuredPasswordSetter) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) (err error) {
	ctx, end := m.t.call(ctx, "set_password")
	defer func() { end(err) }()
	return m.PasswordSetter.SetPassword(ctx, id, p)
}

type measuredUpdater struct {
	plugin.Updater
	t *Telemetry
}

// Update implements plugin.Updater.
func (m measuredUpdater) Update(ctx context.Context, id plugin.ID, c plugin.Change) (a plugin.Account, err error) {
	ctx, end := m.t.call(ctx, "update")
	defer func() { end(err) }()
	return m.Updater.Update(ctx, id, c)
}

type measuredLister struct {
	plugin.Lister
	t *Telemetry
}

// List implements plugin.Lister.
func (m measuredLister) List(ctx context.Context, q plugin.ListQuery) (p plugin.Page, err error) {
	ctx, end := m.t.call(ctx, "list")
	defer func() { end(err) }()
	return m.Lister.List(ctx, q)
}

type measuredMaintainer struct {
	plugin.Maintainer
	t *Telemetry
}

// Maintain implements plugin.Maintainer.
func (m measuredMaintainer) Maintain(ctx context.Context) (r plugin.MaintainReport, err error) {
	ctx, end := m.t.call(ctx, "maintain")
	defer func() { end(err) }()
	return m.Maintainer.Maintain(ctx)
}

type measuredStatuses struct {
	plugin.StatusReader
	t *Telemetry
}

// Statuses implements plugin.StatusReader.
func (m measuredStatuses) Statuses(ctx context.Context, ids []plugin.ID) (s []plugin.Status, err error) {
	ctx, end := m.t.call(ctx, "statuses")
	defer func() { end(err) }()
	return m.StatusReader.Statuses(ctx, ids)
}

type measuredSchemaChecker struct {
	plugin.SchemaChecker
	t *Telemetry
}

// CheckSchema implements plugin.SchemaChecker.
func (m measuredSchemaChecker) CheckSchema(ctx context.Context, uses []plugin.AttributeUse) (r plugin.SchemaReport, err error) {
	ctx, end := m.t.call(ctx, "check_schema")
	defer func() { end(err) }()
	return m.SchemaChecker.CheckSchema(ctx, uses)
}
