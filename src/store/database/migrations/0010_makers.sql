-- The account that made a channel, against whose quota it counts. NULL: made before this was kept, and without a
-- founder by then. Founders (8 in chat::ranks::Rank) stand for the makers of older channels.
ALTER TABLE channels ADD COLUMN maker INTEGER REFERENCES accounts (id);
UPDATE channels SET maker = (SELECT min(account) FROM ranks WHERE channel = channels.id AND ranks & 8);
