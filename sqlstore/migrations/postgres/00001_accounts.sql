-- +goose Up
-- Times are milliseconds since 1970, UTC. Names are compared byte for byte: they are canonical already.
CREATE TABLE accounts (
    id                  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    username            TEXT    NOT NULL,
    password            TEXT    NOT NULL, -- PHC string, or empty: nobody can log in
    password_changed_at BIGINT  NOT NULL,
    locked              BOOLEAN NOT NULL,
    reason              TEXT    NOT NULL,
    created_at          BIGINT  NOT NULL
);

-- Every name that an account holds, or is still held back for it. The primary key is the uniqueness of the product.
CREATE TABLE identifiers (
    canonical  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account    TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    attribute  TEXT    NOT NULL,
    login      BOOLEAN NOT NULL,
    held_until BIGINT -- NULL: in use; otherwise dropped, and nobody else's until then
);
CREATE INDEX identifiers_account ON identifiers (account);
CREATE INDEX identifiers_held_until ON identifiers (held_until) WHERE held_until IS NOT NULL;

CREATE TABLE attributes (
    account  TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name     TEXT    NOT NULL,
    position INTEGER NOT NULL,
    type     TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (account, name, position)
);

CREATE TABLE account_groups (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    PRIMARY KEY (account, name)
);

-- What became of every attempt. An execution remembers the generation it began in; resolving an attempt that made
-- nothing raises it, and whoever began earlier can never commit.
CREATE TABLE attempts (
    attempt    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    generation BIGINT  NOT NULL,
    account    TEXT COLLATE "C", -- NULL: nothing so far
    touched_at BIGINT  NOT NULL -- microseconds
);

-- +goose Down
DROP TABLE attempts;
DROP TABLE account_groups;
DROP TABLE attributes;
DROP TABLE identifiers;
DROP TABLE accounts;
