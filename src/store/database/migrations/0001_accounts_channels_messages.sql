-- Times are milliseconds since the Unix epoch, UTC. Names are unique without regard to ASCII case
-- (NOCASE folds ASCII only, as CASEMAPPING=ascii does).

-- Everybody who ever had an account. A row is never deleted: what somebody said keeps its sender, and
-- the name cannot pass to somebody else. `removed` marks an account that is gone, its hash is emptied.
-- Number 0 is the built-in account `echo`; it has no password and so cannot be logged in to.
CREATE TABLE accounts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    password TEXT,                                -- PHC string; NULL: no login by password
    role     INTEGER NOT NULL DEFAULT 0,          -- 0 member, 1 admin
    disabled INTEGER,                             -- since when; NULL: not disabled
    removed  INTEGER,                             -- since when; NULL: not removed
    invite   INTEGER REFERENCES invites (id),     -- the invite it was made with; NULL: by an admin
    created  INTEGER NOT NULL
) STRICT;

CREATE TABLE invites (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- what people call it by; no secret
    token      BLOB    NOT NULL UNIQUE,           -- SHA-256 of the token
    role       INTEGER NOT NULL,
    channel    TEXT,                              -- where its account lands
    uses       INTEGER NOT NULL,
    spent      INTEGER NOT NULL DEFAULT 0,
    expires    INTEGER NOT NULL,
    revoked    INTEGER,                           -- since when
    created    INTEGER NOT NULL,
    created_by INTEGER REFERENCES accounts (id)   -- NULL: the command line
) STRICT;

CREATE TABLE channels (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    created  INTEGER NOT NULL,
    spoken   INTEGER NOT NULL DEFAULT 0,          -- 1 when something was ever said in it
    topic    TEXT,                                -- the three are NULL together
    topic_by TEXT,
    topic_at INTEGER
) STRICT;

CREATE TABLE members (
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    account INTEGER NOT NULL REFERENCES accounts (id),
    joined  INTEGER NOT NULL,
    PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- Append-only, and the path of every message: no index but the key, no foreign keys to check (rows of
-- accounts and of channels that were spoken in are never deleted), no constraints but the types.
-- `id` is order, time and msgid in one; `place` is a channel's number, or the negated pair of accounts.
CREATE TABLE messages (
    id     INTEGER PRIMARY KEY,
    place  INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    kind   INTEGER NOT NULL,                      -- 0 PRIVMSG, 1 NOTICE
    text   TEXT    NOT NULL,
    tags   TEXT                                   -- client-only tags as on the wire; NULL: none
) STRICT;

-- The ids that clients gave to their messages, for as long as a resend may come. Keyed by message, so
-- that it is appended to and pruned from the front; the chat keeps (account, send) unique.
CREATE TABLE sends (
    message INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    send    TEXT    NOT NULL
) STRICT;

-- Numbers that must outlive the rows that held them.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('message', 0);

-- A message id is never given twice, not even after the last messages were deleted.
CREATE TRIGGER messages_deleted AFTER DELETE ON messages
WHEN old.id > (SELECT value FROM counters WHERE name = 'message')
BEGIN
    UPDATE counters SET value = old.id WHERE name = 'message';
END;

-- What admins and moderators did.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    actor  INTEGER REFERENCES accounts (id),      -- NULL: the command line
    action TEXT    NOT NULL,                      -- `user disable`, `invite create`, …
    target TEXT    NOT NULL,                      -- an account's name, an invite's number, …
    detail TEXT    NOT NULL DEFAULT ''
) STRICT;

INSERT INTO accounts (id, name, created) VALUES (0, 'echo', 0);
