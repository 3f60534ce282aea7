-- What the folds judge: verdicts on pressure, discounts, close dates and commitments.

CREATE OR REPLACE VIEW {audit}.pressure_verdicts WITH (security_invoker) AS
SELECT v.deal_id, v.event_id, v.type, v.rep, v.action_time, v.quarter, v.days_left, v.quota,
       v.attained, v.currency, v.pressure, v.shortfall, v.pivotality, v.cause, v.explained_by,
       v.modifiers, v.in_window, v.behind, v.abnormal, v.verdict, v.rules, v.findings,
       v.quota_events, v.win_events, v.policy_version,
       (SELECT c.event_id FROM {ledger}.audit_corrections c
         WHERE c.corrected_event_id = v.event_id AND c.in_force LIMIT 1) AS corrected_by
  FROM {ledger}.audit_verdicts v;
COMMENT ON VIEW {audit}.pressure_verdicts IS
    'Every stage entered, discount offered and close date moved with its verdict and the facts that it follows from, as GET /v1/deals/<id>/pressure tells them (docs/pressure.md). A verdict says what is consistent with quota pressure and not what caused it. Corrections applied; stands where `audit` stands, with hindsight.';
COMMENT ON COLUMN {audit}.pressure_verdicts.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.pressure_verdicts.event_id IS 'The event that is judged.';
COMMENT ON COLUMN {audit}.pressure_verdicts.type IS 'stage_entered, discount_offered or close_date_moved.';
COMMENT ON COLUMN {audit}.pressure_verdicts.rep IS 'Whom it is attributed to.';
COMMENT ON COLUMN {audit}.pressure_verdicts.action_time IS 'The instant it is judged at: when it was recorded for a stage or a date, when it occurred for a discount.';
COMMENT ON COLUMN {audit}.pressure_verdicts.quarter IS 'The fiscal quarter of that instant.';
COMMENT ON COLUMN {audit}.pressure_verdicts.days_left IS 'Days to the end of that quarter, 0 on its last day.';
COMMENT ON COLUMN {audit}.pressure_verdicts.quota IS 'The quota of the rep in force then.';
COMMENT ON COLUMN {audit}.pressure_verdicts.attained IS 'What the rep had been credited with in the quarter before that instant.';
COMMENT ON COLUMN {audit}.pressure_verdicts.currency IS 'Currency of both.';
COMMENT ON COLUMN {audit}.pressure_verdicts.pressure IS 'Share of what was missing that a normal rest of the quarter would not bring, 0 to 1; null without a quota.';
COMMENT ON COLUMN {audit}.pressure_verdicts.shortfall IS 'By which share of the quota the rep was behind.';
COMMENT ON COLUMN {audit}.pressure_verdicts.pivotality IS 'Which share of what was missing this deal would bring.';
COMMENT ON COLUMN {audit}.pressure_verdicts.cause IS 'seller_only, customer_linked or customer_preceded.';
COMMENT ON COLUMN {audit}.pressure_verdicts.explained_by IS 'The event of the customer that explains it.';
COMMENT ON COLUMN {audit}.pressure_verdicts.modifiers IS 'explained_late, customer_asserted: why that explanation counts for less.';
COMMENT ON COLUMN {audit}.pressure_verdicts.in_window IS 'F1: whether it lies in the last days of the quarter; null where no quarter is known.';
COMMENT ON COLUMN {audit}.pressure_verdicts.behind IS 'F2: whether the rep was behind; null where that is unknown.';
COMMENT ON COLUMN {audit}.pressure_verdicts.abnormal IS 'F4: whether a rule holds; null where that is unknown.';
COMMENT ON COLUMN {audit}.pressure_verdicts.verdict IS 'pressure_shaped, pressure_consistent, not_pressure_shaped or not_evaluable.';
COMMENT ON COLUMN {audit}.pressure_verdicts.rules IS 'The rules that hold, such as PS-4.';
COMMENT ON COLUMN {audit}.pressure_verdicts.findings IS 'What each rule that applies found: `rule`, `holds`, its figures, `evidence`.';
COMMENT ON COLUMN {audit}.pressure_verdicts.quota_events IS 'The events that set the quota.';
COMMENT ON COLUMN {audit}.pressure_verdicts.win_events IS 'The events that credited the rep before.';
COMMENT ON COLUMN {audit}.pressure_verdicts.policy_version IS 'The version of the policy that it is judged by.';
COMMENT ON COLUMN {audit}.pressure_verdicts.corrected_by IS 'The amendment whose version of the event is judged; null for as told. A retracted event has no row.';

CREATE OR REPLACE VIEW {audit}.discounts WITH (security_invoker) AS
SELECT v.deal_id, v.event_id, v.rep, e.occurred_at, e.recorded_at,
       (e.data_in_force ->> 'percent')::numeric AS percent, v.previous_percent,
       (e.data_in_force #>> '{{list,amount}}')::numeric AS list_amount,
       e.data_in_force #>> '{{list,currency}}' AS list_currency,
       e.data_in_force ->> 'reason' AS reason, e.data_in_force ->> 'condition' AS condition,
       (e.data_in_force ->> 'expires_on')::date AS expires_on,
       e.data_in_force ->> 'requested_by' AS requested_by, v.quarter, v.days_left, v.pressure,
       v.cause, v.explained_by, v.verdict, v.rules, e.corrected_by
  FROM {ledger}.audit_verdicts v JOIN {audit}.events e USING (event_id)
 WHERE v.type = 'discount_offered';
COMMENT ON VIEW {audit}.discounts IS
    'Every discount that was put to a customer, as it reads now, with its verdict. Stands where `audit` stands.';
COMMENT ON COLUMN {audit}.discounts.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.discounts.event_id IS 'The discount_offered.';
COMMENT ON COLUMN {audit}.discounts.rep IS 'Who offered it.';
COMMENT ON COLUMN {audit}.discounts.occurred_at IS 'When, in the world.';
COMMENT ON COLUMN {audit}.discounts.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN {audit}.discounts.percent IS 'Off the list price, in per cent.';
COMMENT ON COLUMN {audit}.discounts.previous_percent IS 'The offer that stood before it; null for a first one.';
COMMENT ON COLUMN {audit}.discounts.list_amount IS 'The list price, where it was told.';
COMMENT ON COLUMN {audit}.discounts.list_currency IS 'Currency of the list price.';
COMMENT ON COLUMN {audit}.discounts.reason IS 'Why, as the seller says.';
COMMENT ON COLUMN {audit}.discounts.condition IS 'What it was offered for.';
COMMENT ON COLUMN {audit}.discounts.expires_on IS 'The last local day of the offer.';
COMMENT ON COLUMN {audit}.discounts.requested_by IS 'Who asked for it, as the seller says: rep, manager, customer or policy.';
COMMENT ON COLUMN {audit}.discounts.quarter IS 'The fiscal quarter that it was offered in.';
COMMENT ON COLUMN {audit}.discounts.days_left IS 'Days to the end of that quarter, 0 on its last day.';
COMMENT ON COLUMN {audit}.discounts.pressure IS 'The pressure on the rep then (pressure_verdicts).';
COMMENT ON COLUMN {audit}.discounts.cause IS 'seller_only, customer_linked or customer_preceded.';
COMMENT ON COLUMN {audit}.discounts.explained_by IS 'The event of the customer that explains it.';
COMMENT ON COLUMN {audit}.discounts.verdict IS 'The verdict (pressure_verdicts).';
COMMENT ON COLUMN {audit}.discounts.rules IS 'The rules that hold.';
COMMENT ON COLUMN {audit}.discounts.corrected_by IS 'The amendment whose version this is; null for as told.';

CREATE OR REPLACE VIEW {audit}.close_date_moves WITH (security_invoker) AS
SELECT m.deal_id, m.event_id, m.moved_at, e.recorded_at, m.rep, m.from_date, m.to_date,
       m.from_quarter, m.to_quarter, m.days, m.quarters, m.direction, m.cause,
       CASE WHEN m.cause = 'correction' THEN e.data ->> 'reason'
            ELSE e.data_in_force ->> 'reason' END AS reason, e.corrected_by
  FROM {ledger}.audit_moves m JOIN {audit}.events e USING (event_id);
COMMENT ON VIEW {audit}.close_date_moves IS
    'Every move of a close date, as GET /v1/deals/<id>/movement tells them: an amended move once, as it was meant, and what a correction did to the date that stood as a move of its own. Stands where `audit` stands.';
COMMENT ON COLUMN {audit}.close_date_moves.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.close_date_moves.event_id IS 'The close_date_moved, or the correction that moved the date.';
COMMENT ON COLUMN {audit}.close_date_moves.moved_at IS 'When it counts as made: when it was recorded, of an ordinary import when it occurred.';
COMMENT ON COLUMN {audit}.close_date_moves.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN {audit}.close_date_moves.rep IS 'Who moved it.';
COMMENT ON COLUMN {audit}.close_date_moves.from_date IS 'The local day it was.';
COMMENT ON COLUMN {audit}.close_date_moves.to_date IS 'The local day it became.';
COMMENT ON COLUMN {audit}.close_date_moves.from_quarter IS 'The fiscal quarter of the day it was.';
COMMENT ON COLUMN {audit}.close_date_moves.to_quarter IS 'The fiscal quarter of the day it became.';
COMMENT ON COLUMN {audit}.close_date_moves.days IS 'By how many days, negative where it came nearer.';
COMMENT ON COLUMN {audit}.close_date_moves.quarters IS 'Over how many ends of quarters, negative where it came nearer; 0 within one.';
COMMENT ON COLUMN {audit}.close_date_moves.direction IS 'pull_in, push_out or within, as the quarter of moved_at sees it.';
COMMENT ON COLUMN {audit}.close_date_moves.cause IS 'push, pull_in, machine or correction.';
COMMENT ON COLUMN {audit}.close_date_moves.reason IS 'Why, as its teller says.';
COMMENT ON COLUMN {audit}.close_date_moves.corrected_by IS 'The amendment whose version this is; null for as told.';

CREATE OR REPLACE VIEW {audit}.commitments WITH (security_invoker) AS
SELECT c.deal_id, c.side, c.commitment_id, c.event_id, c.kind, c.what, c.level, c.by, c.role,
       coalesce(e.on_behalf_of, e.actor) AS recorded_by, c.made_at, c.due, c.overdue_at,
       CASE WHEN c.settled IS NOT NULL THEN c.settled
            WHEN c.overdue_at <= now() THEN 'broken'
            WHEN c.renegotiated THEN 'renegotiated'
            ELSE 'open' END AS status,
       c.settled_at, c.kept_late, c.event_ids,
       (SELECT k.event_id FROM {ledger}.audit_corrections k
         WHERE k.corrected_event_id = c.event_id AND k.in_force LIMIT 1) AS corrected_by
  FROM {ledger}.audit_commitments c JOIN {ledger}.events e USING (event_id);
COMMENT ON VIEW {audit}.commitments IS
    'What customers committed to and what sellers promised, with what came of it, as GET /v1/deals/<id>/commitments tells them. Corrections applied; stands where `audit` stands, the status is that of now().';
COMMENT ON COLUMN {audit}.commitments.deal_id IS 'The deal.';
COMMENT ON COLUMN {audit}.commitments.side IS 'customer, or seller for a promise.';
COMMENT ON COLUMN {audit}.commitments.commitment_id IS 'Its name in the deal.';
COMMENT ON COLUMN {audit}.commitments.event_id IS 'The event that stated it last.';
COMMENT ON COLUMN {audit}.commitments.kind IS 'What kind of commitment; null for a promise.';
COMMENT ON COLUMN {audit}.commitments.what IS 'What was committed to.';
COMMENT ON COLUMN {audit}.commitments.level IS 'How strong, 0 to 5; null for a promise.';
COMMENT ON COLUMN {audit}.commitments.by IS 'Who of the customer committed.';
COMMENT ON COLUMN {audit}.commitments.role IS 'The role of that person.';
COMMENT ON COLUMN {audit}.commitments.recorded_by IS 'The rep who stated it last.';
COMMENT ON COLUMN {audit}.commitments.made_at IS 'When it was first made, in the world.';
COMMENT ON COLUMN {audit}.commitments.due IS 'The local day agreed on last.';
COMMENT ON COLUMN {audit}.commitments.overdue_at IS 'The instant from which it counts as broken if nothing settled it: the day and its grace have passed.';
COMMENT ON COLUMN {audit}.commitments.status IS 'open, renegotiated, kept, broken or withdrawn.';
COMMENT ON COLUMN {audit}.commitments.settled_at IS 'When it was kept, broken or withdrawn, as told; null where nobody said so.';
COMMENT ON COLUMN {audit}.commitments.kept_late IS 'Whether it was kept after it had counted as broken.';
COMMENT ON COLUMN {audit}.commitments.event_ids IS 'All events that it rests on.';
COMMENT ON COLUMN {audit}.commitments.corrected_by IS 'The amendment whose version this is; null for as told.';
