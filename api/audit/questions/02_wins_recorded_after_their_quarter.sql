-- Which wins were recorded after the quarter that they are dated in?
-- Between the end of the quarter and `told_at` everybody saw a quarter without the win. `net` is
-- what the win reads as now, of a retracted one what was told.
SELECT e.quarter AS dated_in, e.told_quarter AS told_in, e.rep, d.name AS deal, e.occurred_at,
       e.told_at, e.told_at - e.occurred_at AS lag,
       coalesce(e.data_in_force, e.data) #>> '{net,amount}' AS net, e.corrected_how
  FROM events e
  JOIN deals d USING (deal_id)
 WHERE e.type = 'deal_won' AND e.quarter IS NOT NULL
   AND e.quarter IS DISTINCT FROM e.told_quarter AND e.told_at > e.occurred_at
 ORDER BY e.position;
