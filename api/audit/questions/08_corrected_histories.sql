-- Which deals have a corrected history, and how did it read before?
-- Both versions side by side; figures use the later one where the correction is in force.
SELECT d.name AS deal, c.how, c.in_force, c.corrected_type, c.corrected_rep,
       c.corrected_recorded_at, c.data_told, c.data_amended, c.rep AS corrected_by, c.recorded_at,
       c.reason
  FROM corrections c
  JOIN deals d USING (deal_id)
 ORDER BY c.position;
