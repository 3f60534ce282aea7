-- What was told in the first two weeks of a quarter and dated into an earlier one?
SELECT e.told_quarter, e.quarter AS dated_in, e.type, e.rep, count(*) AS events,
       max(e.told_at - e.occurred_at) AS longest_lag, min(e.position) AS first_position
  FROM events e
  JOIN fiscal_quarters q ON e.told_at >= q.from_instant AND e.told_at < q.to_instant
 WHERE e.deal_id IS NOT NULL AND e.occurred_at < q.from_instant
   AND e.told_at < q.from_instant + interval '14 days'
 GROUP BY e.told_quarter, e.quarter, e.type, e.rep
 ORDER BY first_position;
