-- The history is written in volumes, one after the other, each of some thousand rows (store::volumes). In one index
-- over everything each talk and channel would end in a page of its own, and the pages that a transaction writes
-- would grow with the store; a volume has so few pages that they are the same ones again and again.
ALTER TABLE messages ADD COLUMN volume INTEGER NOT NULL DEFAULT 0;

-- Ids only grow, and so do the numbers of volumes: one that begins later holds nothing older.
CREATE TABLE volumes (
    number INTEGER PRIMARY KEY,
    first  INTEGER NOT NULL UNIQUE                -- its first message
) STRICT;
INSERT INTO volumes VALUES (0, 0);

-- Which volumes have something of a class at a place.
CREATE TABLE contents (
    place  INTEGER NOT NULL,
    class  INTEGER NOT NULL,
    volume INTEGER NOT NULL,
    PRIMARY KEY (place, class, volume)
) STRICT, WITHOUT ROWID;
INSERT INTO contents SELECT DISTINCT place, class, 0 FROM messages;

-- SQLite appends the id to every entry.
DROP INDEX messages_by_place;
CREATE INDEX messages_by_volume ON messages (volume, place, class);

-- That path: at one place, for one class, in the order of (volume, id).
CREATE VIEW history AS
    SELECT c.place, c.class, c.volume, m.id, m.sender, m.kind, m.text, m.tags
    FROM contents c CROSS JOIN messages m ON m.volume = c.volume AND m.place = c.place AND m.class = c.class;
