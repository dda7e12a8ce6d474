-- Names are compared by wire::chars::fold, which SQLite does not know: the folded form is the key. The step is completed
-- by store::names, which fills this table from the old one, and drops that.
ALTER TABLE old_names RENAME TO old_names_ascii;
CREATE TABLE old_names (
    folded  TEXT    PRIMARY KEY,
    name    TEXT    NOT NULL,
    channel INTEGER NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    since   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
