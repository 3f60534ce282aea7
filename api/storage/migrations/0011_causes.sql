-- Customer events explain as many seller events as they can, which the stored causes rest on.
TRUNCATE acts, stays;
DELETE FROM parked WHERE projection = 'pressure';
DELETE FROM projections WHERE name = 'pressure';
