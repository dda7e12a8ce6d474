-- CRC-32 of a row (store::sums). NULL: not known yet, for rows from before there were checksums.
ALTER TABLE messages ADD COLUMN sum INTEGER;
ALTER TABLE accounts ADD COLUMN sum INTEGER;
ALTER TABLE channels ADD COLUMN sum INTEGER;

DROP VIEW history;
CREATE VIEW history AS
    SELECT c.place, c.class, c.volume, m.id, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum
    FROM contents c CROSS JOIN messages m ON m.volume = c.volume AND m.place = c.place AND m.class = c.class;

INSERT INTO counters VALUES
    ('lineage', random() | 1),  -- a random number that this database keeps for its life
    ('generation', 0),          -- checkpoints that were begun
    ('whole', 1),               -- 0 in the main file while the server runs (store::generation)
    ('changes', 0),             -- transactions without a message (store::position)
    ('erase', 0),               -- removals whose text may still be in the write-ahead log
    ('summed', 0);              -- every message up to this one has a checksum
