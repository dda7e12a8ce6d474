-- Groups of accounts, such as classes, with their members and the channels that these are in.
CREATE TABLE groups (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT    NOT NULL,
    created INTEGER NOT NULL,
    sum     INTEGER             -- CRC-32 of the row
) STRICT;
CREATE TABLE group_members (
    grp     INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts (id),
    sum     INTEGER,
    PRIMARY KEY (grp, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE group_channels (
    grp     INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    sum     INTEGER,
    PRIMARY KEY (grp, channel)
) STRICT, WITHOUT ROWID;
-- The name by which an imported file lists the person of an account; NULL: it was made in another way.
ALTER TABLE accounts ADD COLUMN listed_name TEXT;
