-- +goose Up
-- key is a keyed hash of a budget and of what it counts. A row whose ends_at has passed counts nothing any more.
CREATE TABLE budgets (
    key     BYTEA  NOT NULL PRIMARY KEY,
    taken   BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX budgets_ends_at ON budgets (ends_at);

-- client is a keyed hash of the network that began the registration; empty: unknown.
ALTER TABLE registrations ADD COLUMN client TEXT NOT NULL DEFAULT '';
CREATE INDEX registrations_client ON registrations (client) WHERE client <> '';

-- +goose Down
DROP INDEX registrations_client;
ALTER TABLE registrations DROP COLUMN client;
DROP TABLE budgets;
