-- Who discounted whom in the last two weeks of a quarter, and what had the customer done before?
-- The customer's last act is the last request, commitment or customer-sourced evidence (level 3 or
-- more) before the offer or at its instant, as all of them read now. Where `cause` is seller_only,
-- no act of the customer explains the offer, however many there were before it.
SELECT d.quarter, d.days_left, d.rep, o.account_name AS customer, d.percent,
       round(d.pressure, 3) AS pressure, d.cause, d.verdict,
       before.type AS last_customer_act, before.occurred_at AS last_customer_act_at
  FROM discounts d
  JOIN deals o USING (deal_id)
  LEFT JOIN LATERAL (
       SELECT e.type, e.occurred_at FROM events e
        WHERE e.stream_id = 'deal:' || d.deal_id AND e.occurred_at <= d.occurred_at
          AND (e.type IN ('customer_request_received', 'customer_commitment_recorded')
               OR e.type = 'outcome_evidenced' AND (e.data_in_force ->> 'level')::int >= 3)
          AND e.data_in_force IS NOT NULL
        ORDER BY e.occurred_at DESC, e.recorded_at DESC, e.position DESC LIMIT 1) before ON true
 WHERE d.days_left < 14
 ORDER BY d.occurred_at, d.event_id;
