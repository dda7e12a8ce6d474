-- The admin by whose password (OPER) its maker was one; NULL: by his own power.
ALTER TABLE invites ADD COLUMN power INTEGER REFERENCES accounts (id);
