-- Up to when accounts have read channels that they are not in, by name: clients set these before they join.
CREATE TABLE early_markers (
    account INTEGER NOT NULL REFERENCES accounts (id),
    channel TEXT    NOT NULL COLLATE NOCASE,
    read    INTEGER NOT NULL,
    PRIMARY KEY (account, channel)
) STRICT, WITHOUT ROWID;
