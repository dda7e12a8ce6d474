-- Hooks: accounts without a login, by which programs post to a channel or are sent what is posted there. A revoked one
-- has neither token nor URL; it keeps its row, because a new hook may have its name.
CREATE TABLE hooks (
    account   INTEGER PRIMARY KEY REFERENCES accounts (id),
    channel   INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    token     BLOB,             -- SHA-256 of the token of one that programs post with
    url       TEXT,             -- where one sends messages to
    pattern   TEXT,             -- what these contain; NULL: all are sent
    key       BLOB,             -- key of the signatures
    delivered INTEGER,          -- the last message that was sent
    sum       INTEGER           -- CRC-32 of the row
) STRICT;
