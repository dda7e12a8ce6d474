-- Access tokens, with which programs read what an account may read.
CREATE TABLE access_tokens (
    hash    BLOB PRIMARY KEY,   -- SHA-256 of the token
    name    TEXT NOT NULL,      -- by which it is revoked
    account INTEGER NOT NULL REFERENCES accounts (id),
    scope   TEXT NOT NULL,      -- what it permits: read
    created INTEGER NOT NULL,
    expires INTEGER,            -- NULL: never
    sum     INTEGER             -- CRC-32 of the row
) STRICT, WITHOUT ROWID;
