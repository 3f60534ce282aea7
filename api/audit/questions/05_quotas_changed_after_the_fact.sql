-- Who changed a quota after its quarter had begun, or after it was over?
-- `told_at` is when the system was told; a change may say that it counts from earlier. The first
-- assignment changes nothing, unless its quarter was over.
SELECT h.quarter, coalesce(h.rep, h.team) AS whose, h.type, h.previous_amount, h.amount,
       h.currency, h.changed_by, h.in_force_from, h.told_at,
       h.told_at >= q.to_instant AS after_its_end
  FROM quota_history h
  JOIN events e USING (event_id)
  JOIN (SELECT name, min(from_instant) AS from_instant, max(to_instant) AS to_instant
          FROM fiscal_quarters GROUP BY name) q ON q.name = h.quarter
 WHERE h.told_at >= q.from_instant
   AND (e.version > 1 OR h.told_at >= q.to_instant)
 ORDER BY h.told_at, whose;
