-- What the history shows of a message and how it is found there: 0 said, 1 an event (a reaction, JOIN, PART, KICK,
-- TOPIC, MODE, RENAME), 2 a redaction, 3 what was redacted and is shown no more. `kind` is the place in
-- MessageKind::ALL.
ALTER TABLE messages ADD COLUMN redacted INTEGER;     -- 1: the text and tags were erased; NULL: not redacted
ALTER TABLE messages ADD COLUMN class INTEGER AS (
    CASE WHEN redacted IS NOT NULL THEN 3 WHEN kind < 2 THEN 0 WHEN kind < 9 THEN 1 ELSE 2 END
) VIRTUAL;

-- The one path into the history: any stretch of one class at one place is neighbours in it, in the order of `id`,
-- which SQLite appends to every entry. Naming it here would store it twice.
CREATE INDEX messages_by_place ON messages (place, class);

-- What the full-text index, which follows behind, must unlearn.
CREATE TABLE forgotten (
    message INTEGER PRIMARY KEY
) STRICT;

-- Who has exchanged messages with whom: a row for each side.
CREATE TABLE talks (
    account INTEGER NOT NULL,
    peer    INTEGER NOT NULL,
    place   INTEGER NOT NULL,
    PRIMARY KEY (account, peer)
) STRICT, WITHOUT ROWID;
INSERT INTO talks
    SELECT DISTINCT -place >> 31, -place & 0x7fffffff, place FROM messages WHERE place <= 0
    UNION SELECT DISTINCT -place & 0x7fffffff, -place >> 31, place FROM messages WHERE place <= 0;

ALTER TABLE channels ADD COLUMN flags INTEGER NOT NULL DEFAULT 8;  -- chat::modes::Flag; 8 is +n
ALTER TABLE channels ADD COLUMN key TEXT;                          -- +k
ALTER TABLE channels ADD COLUMN most INTEGER;                      -- +l

CREATE TABLE ranks (
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts (id),
    ranks   INTEGER NOT NULL,                         -- chat::ranks::Rank
    PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- Bans, exceptions and invitation masks, in the order in which they were set.
CREATE TABLE lists (
    id      INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    list    TEXT    NOT NULL,                         -- the mode's letter: b, e, I
    mask    TEXT    NOT NULL COLLATE NOCASE,
    set_by  TEXT    NOT NULL,
    set_at  INTEGER NOT NULL,
    UNIQUE (channel, list, mask)
) STRICT;

-- Who was invited and has not joined yet.
CREATE TABLE invited (
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- Names that lead to a channel which has another by now.
CREATE TABLE old_names (
    name    TEXT    PRIMARY KEY COLLATE NOCASE,
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    since   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Up to when accounts have read what was said at places.
CREATE TABLE markers (
    account INTEGER NOT NULL REFERENCES accounts (id),
    place   INTEGER NOT NULL,
    read    INTEGER NOT NULL,
    PRIMARY KEY (account, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_metadata (
    account INTEGER NOT NULL REFERENCES accounts (id),
    key     TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_metadata (
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    key     TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    PRIMARY KEY (channel, key)
) STRICT, WITHOUT ROWID;

-- What an account noted about a place for itself.
CREATE TABLE private_metadata (
    account INTEGER NOT NULL REFERENCES accounts (id),
    place   INTEGER NOT NULL,
    key     TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    PRIMARY KEY (account, place, key)
) STRICT, WITHOUT ROWID;

-- What is noted about a channel goes with it.
CREATE INDEX markers_by_place ON markers (place);
CREATE INDEX private_metadata_by_place ON private_metadata (place);

-- The last message when the latest session ended that could not ask for history.
ALTER TABLE accounts ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
