-- What is kept of the history of one channel, in place of the configuration. NULL: as that says; 0: no limit.
ALTER TABLE channels ADD COLUMN keep_days INTEGER;
ALTER TABLE channels ADD COLUMN keep_messages INTEGER;
-- When nobody could write there any more. NULL: it is open.
ALTER TABLE channels ADD COLUMN archived INTEGER;
