-- Which close dates were moved across the end of a quarter, by whom, and how was that judged?
-- A negative number of quarters is a pull-in. A correction of a date has no verdict.
SELECT m.moved_at, m.rep, d.name AS deal, m.from_date, m.to_date, m.from_quarter, m.to_quarter,
       m.quarters, m.cause, m.reason, v.days_left, v.verdict
  FROM close_date_moves m
  JOIN deals d USING (deal_id)
  LEFT JOIN pressure_verdicts v USING (event_id)
 WHERE m.quarters <> 0
 ORDER BY m.moved_at, m.event_id;
