-- The profile of one's own that an import was asked for with, where it did not come among its files.

ALTER TABLE imports ADD COLUMN declared text;
