-- A win that is dated before its deal was opened is credited to whom the deal was opened with.
TRUNCATE credits;
DELETE FROM parked WHERE projection = 'attainment';
DELETE FROM projections WHERE name = 'attainment';
