-- What one event takes back of several wins of a deal is one credit: two equal ones were one fact.
TRUNCATE credits;
DELETE FROM parked WHERE projection = 'attainment';
DELETE FROM projections WHERE name = 'attainment';
