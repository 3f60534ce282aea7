-- Which boxes were ticked in bursts?
-- Runs of at least five ticks of one rep with no more than two minutes between them, by the time
-- they were recorded and across deals; `unshown` of them had nothing to show by then.
WITH marked AS (
    SELECT t.*, t.recorded_at - lag(t.recorded_at) OVER run > interval '120 seconds' AS apart
      FROM ticks t WINDOW run AS (PARTITION BY t.rep ORDER BY t.recorded_at, t.event_id)
), numbered AS (
    SELECT m.*, count(*) FILTER (WHERE m.apart)
                OVER (PARTITION BY m.rep ORDER BY m.recorded_at, m.event_id) AS run
      FROM marked m
)
SELECT rep, min(recorded_at) AS begun, max(recorded_at) AS ended, count(*) AS ticks,
       count(DISTINCT deal_id) AS deals,
       count(*) FILTER (WHERE expressible AND shown_at IS NULL) AS unshown
  FROM numbered
 GROUP BY rep, run
HAVING count(*) >= 5
 ORDER BY begun, rep;
