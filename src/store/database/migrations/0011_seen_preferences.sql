-- What an account's sessions were there for, in stretches: the id before the first message and the id of the last.
CREATE TABLE seen (
    account INTEGER NOT NULL REFERENCES accounts (id),
    after INTEGER NOT NULL,
    up_to INTEGER NOT NULL,
    PRIMARY KEY (account, after)
) WITHOUT ROWID;
INSERT INTO seen SELECT id, 0, seen FROM accounts WHERE seen > 0;
ALTER TABLE accounts DROP COLUMN seen;
-- Most messages that are replayed to its clients; NULL: as many as the server is configured to.
ALTER TABLE accounts ADD COLUMN replay INTEGER;
-- 1: it is a program (user mode B); NULL, which changes no checksum: it is none.
ALTER TABLE accounts ADD COLUMN bot INTEGER;
