-- Which wins were recorded after the quarter that they are dated in?
-- Between the end of the quarter and `told_at` everybody saw a quarter without the win.
SELECT e.quarter AS dated_in, e.told_quarter AS told_in, e.rep, d.name AS deal, e.occurred_at,
       e.told_at, e.told_at - e.occurred_at AS lag, e.data #>> '{net,amount}' AS net,
       e.corrected_how
  FROM events e
  JOIN deals d USING (deal_id)
 WHERE e.type = 'deal_won' AND e.quarter <> e.told_quarter
 ORDER BY e.position;
