-- +goose Up
-- Times are milliseconds since 1970, UTC. Sealed columns are opaque here.
CREATE TABLE registrations (
    ref           TEXT    NOT NULL PRIMARY KEY,
    locator       BYTEA   NOT NULL UNIQUE,
    flow          TEXT    NOT NULL,
    step          TEXT    NOT NULL,
    phase         TEXT    NOT NULL,
    version       BIGINT  NOT NULL,
    sealed_for    TEXT    NOT NULL,
    sealed        BYTEA   NOT NULL,
    server        BYTEA,
    run_not_after BIGINT  NOT NULL,
    resolve_at    BIGINT  NOT NULL,
    attempts      INTEGER NOT NULL,
    attempt_limit INTEGER NOT NULL,
    created_at    BIGINT  NOT NULL,
    idle_until    BIGINT  NOT NULL,
    expires_at    BIGINT  NOT NULL
);
CREATE INDEX registrations_idle_until ON registrations (idle_until);
CREATE INDEX registrations_resolve_at ON registrations (resolve_at) WHERE phase = 'persisting';

CREATE TABLE outbox (
    id         TEXT    NOT NULL PRIMARY KEY,
    sealed     BYTEA   NOT NULL,
    owner      TEXT    NOT NULL,
    due_at     BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL,
    tries      INTEGER NOT NULL
);
CREATE INDEX outbox_due_at ON outbox (due_at);

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- +goose Down
DROP TABLE meta;
DROP TABLE outbox;
DROP TABLE registrations;
