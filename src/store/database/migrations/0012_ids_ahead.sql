-- From which message on ids are ahead of the time, and by how much: after a clock that was ahead was set right, ids go on
-- from the last one (wire::ids::Times).
CREATE TABLE ids_ahead (
    first INTEGER PRIMARY KEY,
    by    INTEGER NOT NULL                        -- milliseconds; 0: ids are the time again
) STRICT;
