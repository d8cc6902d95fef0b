-- +goose Up
-- A registration that is written again and again keeps its place in the indexes: expires_at never changes.
DROP INDEX registrations_idle_until;
CREATE INDEX registrations_expires_at ON registrations (expires_at);
-- Room for the next version of a row beside it.
ALTER TABLE registrations SET (fillfactor = 60);

-- +goose Down
DROP INDEX registrations_expires_at;
CREATE INDEX registrations_idle_until ON registrations (idle_until);
