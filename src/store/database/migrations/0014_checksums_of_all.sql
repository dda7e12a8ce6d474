-- CRC-32 of a row (store::sums::rows) for what belongs to accounts and channels too. NULL: not known yet; the next start
-- fills it in.
ALTER TABLE members ADD COLUMN sum INTEGER;
ALTER TABLE ranks ADD COLUMN sum INTEGER;
ALTER TABLE lists ADD COLUMN sum INTEGER;
ALTER TABLE invited ADD COLUMN sum INTEGER;
ALTER TABLE old_names ADD COLUMN sum INTEGER;
ALTER TABLE markers ADD COLUMN sum INTEGER;
ALTER TABLE early_markers ADD COLUMN sum INTEGER;
ALTER TABLE account_metadata ADD COLUMN sum INTEGER;
ALTER TABLE channel_metadata ADD COLUMN sum INTEGER;
ALTER TABLE private_metadata ADD COLUMN sum INTEGER;
ALTER TABLE devices ADD COLUMN sum INTEGER;
ALTER TABLE invites ADD COLUMN sum INTEGER;
ALTER TABLE audit ADD COLUMN sum INTEGER;
ALTER TABLE seen ADD COLUMN sum INTEGER;
ALTER TABLE ids_ahead ADD COLUMN sum INTEGER;
