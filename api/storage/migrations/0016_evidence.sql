-- What was shown, offered before and moved forward is read by one rule each (docs/metrics.md).
TRUNCATE plans, ticks, advances, claims, openings, acts, stays;
DELETE FROM parked WHERE projection IN ('progress', 'pressure');
DELETE FROM projections WHERE name IN ('progress', 'pressure');
