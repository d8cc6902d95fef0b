package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// Each calls do for every entry at or below base that filter holds for, in the server's order, and stops at its first
// error. It reads pages of pageSize entries (RFC 2696) where the server lists that, and everything at once elsewhere. Every
// page has the pool's deadline for itself; ctx bounds the whole. It keeps one of the pool's connections until it is done,
// since a server may tie pages to a connection; do may use the pool. A base that is not there is a refusal, but 389 answers a
// paged search below it with no entries.
func (p *Pool) Each(ctx context.Context, base DN, scope Scope, filter Filter, pageSize int, attributes []string, do func(Entry) error) error {
	server, err := p.Server(ctx)
	if err != nil {
		return err
	}
	request, err := searchRequest(base, scope, filter, 0, attributes)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	if !server.Paging || pageSize <= 0 {
		return p.eachAtOnce(ctx, request, do)
	}
	return p.writer.with(ctx, "search", func(c *Conn, reused bool) (bool, error) {
		page := pages{conn: c, request: request, size: uint32(pageSize), limit: p.writer.settings.RequestTimeout}
		found, err := page.next(ctx)
		if err != nil && reused && !Refused(err) && ctx.Err() == nil {
			return true, err // the connection was dead, and do has seen nothing
		}
		for ; err == nil; found, err = page.next(ctx) {
			for _, entry := range found {
				if err := do(entry); err != nil {
					c.broken = !page.last // the server holds the rest of the pages for it
					return false, err
				}
			}
			if page.last {
				return false, nil
			}
		}
		return false, err
	})
}

func (p *Pool) eachAtOnce(ctx context.Context, request *ldap.SearchRequest, do func(Entry) error) error {
	var found []Entry
	err := p.writer.run(ctx, "search", true, func(c *ldap.Conn) error {
		result, err := c.Search(request)
		if err == nil {
			found = entries(result.Entries)
		}
		return err
	})
	for _, entry := range found {
		if err := do(entry); err != nil {
			return err
		}
	}
	return err
}

// pages reads one page after the other.
type pages struct {
	conn    *Conn
	request *ldap.SearchRequest
	size    uint32
	limit   time.Duration
	cookie  []byte
	last    bool
}

func (p *pages) next(ctx context.Context) ([]Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	paging := &ldap.ControlPaging{PagingSize: p.size, Cookie: p.cookie}
	p.request.Controls = []ldap.Control{paging}
	var found []Entry
	err := p.conn.exchange(ctx, "search", func(c *ldap.Conn) error {
		result, err := c.Search(p.request)
		if err != nil {
			return err
		}
		found, p.last = entries(result.Entries), true
		if answer, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging); ok && len(answer.Cookie) > 0 {
			p.cookie, p.last = answer.Cookie, false
		}
		return nil
	})
	return found, err
}
