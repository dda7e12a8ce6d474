-- Reactions by the message that they react to, so that a page of the history comes with those that were sent later than
-- all of it. The parent is a msgid as it stands in the tag that names it.
CREATE TABLE reactions (
    id     INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    parent TEXT    NOT NULL
) STRICT;
INSERT INTO reactions
    SELECT id, substr(tags, instr(tags, 'reply=') + 6, 16) FROM messages
    WHERE kind = 2 AND instr(tags, 'reply=') > 0 AND instr(tags, '+draft/') > 0 AND instr(tags, 'react') > 0;
CREATE INDEX reactions_by_parent ON reactions (parent, id);
