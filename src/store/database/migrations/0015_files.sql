-- Files that accounts uploaded. Their content is in the folder files, by its hash.
CREATE TABLE files (
    id     BLOB    PRIMARY KEY,                       -- 16 random bytes
    owner  INTEGER NOT NULL REFERENCES accounts (id),
    name   TEXT    NOT NULL,
    type   TEXT    NOT NULL,                          -- media type
    size   INTEGER NOT NULL,
    hash   BLOB    NOT NULL,                          -- SHA-256 of the content
    width  INTEGER,                                   -- dimensions of a picture, in pixels; NULL: not known
    height INTEGER,
    added  INTEGER NOT NULL,
    link   BLOB,                                      -- SHA-256 of the link for everybody; NULL: none
    sum    INTEGER                                    -- CRC-32 of the row
) STRICT, WITHOUT ROWID;
-- The messages that share them with the readers of their conversations.
CREATE TABLE file_shares (
    message INTEGER NOT NULL,
    file    BLOB    NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    place   INTEGER NOT NULL,
    sum     INTEGER,
    PRIMARY KEY (message, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX file_shares_by_file ON file_shares (file);
