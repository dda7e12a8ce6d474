-- Client certificates that log in to an account without its password.
CREATE TABLE devices (
    key     BLOB    PRIMARY KEY,                      -- SHA-256 of the certificate (DER)
    account INTEGER NOT NULL REFERENCES accounts (id),
    added   INTEGER NOT NULL,
    used    INTEGER                                   -- when it last logged in; NULL: never
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_account ON devices (account);
