-- What was told in the first two weeks of a quarter and dated into an earlier one?
-- The weeks are those of local days. A quarter in which another calendar came into force began once.
SELECT e.told_quarter, e.quarter AS dated_in, e.type, e.rep, count(*) AS events,
       max(e.told_at - e.occurred_at) AS longest_lag, min(e.position) AS first_position
  FROM events e
  JOIN (SELECT DISTINCT ON (name) name, zone, from_instant,
               (from_instant AT TIME ZONE zone)::date AS begun
          FROM fiscal_quarters ORDER BY name, from_instant) q ON q.name = e.told_quarter
 WHERE e.deal_id IS NOT NULL AND e.occurred_at < q.from_instant
   AND (e.told_at AT TIME ZONE q.zone)::date < q.begun + 14
 GROUP BY e.told_quarter, e.quarter, e.type, e.rep
 ORDER BY first_position;
