-- Which commitments and promises were broken, and who had given them?
-- Also those that nobody settled: overdue, with their days of grace over.
SELECT c.side, d.name AS deal, c.what, coalesce(c.by, c.role) AS who_of_the_customer,
       c.recorded_by, c.level, c.due, c.settled_at, c.settled_at IS NULL AS nobody_said_so
  FROM commitments c
  JOIN deals d USING (deal_id)
 WHERE c.status = 'broken'
 ORDER BY coalesce(c.settled_at, c.overdue_at), c.deal_id, c.commitment_id;
