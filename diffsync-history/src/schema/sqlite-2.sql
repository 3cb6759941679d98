-- A row may stand for several entries, one for each of the changes that end with `change_seq`; its `seq` is that of the last.
ALTER TABLE history_entry ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
