package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// Names in the table meta.
const (
	metaKey   = "secret fingerprint"
	metaRules = "identifier rules"
)

// BindSecret makes sure that what is stored can be opened: one of the fingerprints must be the stored one
// (ErrForeignSecret). The first, the current key's, is stored from then on.
func (db *DB) BindSecret(ctx context.Context, fingerprints []string) error {
	stored, err := db.meta(ctx, metaKey)
	if err != nil {
		return err
	}
	if stored != "" && !slices.Contains(fingerprints, stored) {
		return ErrForeignSecret
	}
	return db.setMeta(ctx, metaKey, fingerprints[0])
}

// BindRules makes sure that canonical keys mean what they meant: the fingerprint of the rules must be the stored one
// (ErrForeignRules), or the first ever.
func (db *DB) BindRules(ctx context.Context, fingerprint string) error {
	stored, err := db.meta(ctx, metaRules)
	if err != nil {
		return err
	}
	if stored != "" && stored != fingerprint {
		return ErrForeignRules
	}
	return db.setMeta(ctx, metaRules, fingerprint)
}

func (db *DB) meta(ctx context.Context, name string) (value string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	err = db.stmt.readMeta.QueryRowContext(ctx, name).Scan(&value)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read %q: %w", name, err)
	}
	return value, nil
}

func (db *DB) setMeta(ctx context.Context, name, value string) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if _, err := db.stmt.writeMeta.ExecContext(ctx, name, value); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return nil
}
