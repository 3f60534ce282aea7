-- Which stages were left hollow?
-- A deal went on from them before what they are for had been shown at the level it needs. Where it
-- skipped stages, what those are for counts with the stage that it left.
SELECT a.from_stage AS left_stage, count(*) AS advances,
       count(*) FILTER (WHERE a.hollow) AS hollow,
       count(*) FILTER (WHERE a.evidenced = 0) AS nothing_shown,
       sum(a.required) AS outcomes_required, sum(a.evidenced) AS outcomes_evidenced
  FROM stage_advances a
 WHERE a.required > 0
 GROUP BY a.from_stage
 ORDER BY hollow DESC, left_stage;
