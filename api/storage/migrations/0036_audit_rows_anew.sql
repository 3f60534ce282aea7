-- Corrections of another deal's event are in force no more for auditors, and fiscal quarters begin
-- with the first that anything was told in: the rows told before are told anew, and stand till then.
UPDATE projections SET generation = 0 WHERE name = 'audit';
