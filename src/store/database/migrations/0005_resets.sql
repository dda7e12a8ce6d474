-- The account whose password and devices an invite resets; NULL: it makes accounts.
ALTER TABLE invites ADD COLUMN resets INTEGER REFERENCES accounts (id);
