-- Which deals changed hands in the thirty days before they were won, and who was credited?
SELECT d.name AS deal, w.occurred_at AS won_at, o.occurred_at AS handed_over_at,
       o.data_in_force ->> 'owner' AS new_owner, o.rep AS handed_over_by,
       (SELECT string_agg(b.rep || ' ' || b.amount, ', ' ORDER BY b.rep)
          FROM bookings b WHERE b.event_id = w.event_id AND b.kind = 'revenue') AS credited
  FROM events w
  JOIN events o ON o.stream_id = w.stream_id AND o.type = 'owner_changed'
               AND (o.occurred_at, o.recorded_at, o.position)
                   < (w.occurred_at, w.recorded_at, w.position)
               AND o.occurred_at > w.occurred_at - interval '30 days'
  JOIN deals d ON d.deal_id = w.deal_id
 WHERE w.type = 'deal_won' AND w.data_in_force IS NOT NULL AND o.data_in_force IS NOT NULL
 ORDER BY w.position, o.position;
