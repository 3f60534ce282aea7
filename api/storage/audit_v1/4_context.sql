-- What stands around the deals: quotas, people, forecasts, and who looked.

CREATE OR REPLACE VIEW {audit}.quota_history WITH (security_invoker) AS
SELECT e.stream_id, max(e.data ->> 'rep') OVER stream AS rep,
       max(e.data ->> 'team') OVER stream AS team,
       max(e.data ->> 'quarter') OVER stream AS quarter, e.event_id, e.type,
       (e.data #>> '{{amount,amount}}')::numeric AS amount,
       e.data #>> '{{amount,currency}}' AS currency,
       lag((e.data #>> '{{amount,amount}}')::numeric) OVER told AS previous_amount,
       e.occurred_at AS in_force_from, e.recorded_at, e.told_at, e.rep AS changed_by,
       e.data ->> 'reason' AS reason
  FROM {audit}.events e WHERE e.topic LIKE 'quota.%'
WINDOW stream AS (PARTITION BY e.stream_id),
       told AS (PARTITION BY e.stream_id ORDER BY e.occurred_at, e.recorded_at, e.position);
COMMENT ON VIEW {audit}.quota_history IS
    'Every quota as it was assigned, revised and withdrawn. Stands at the head of the log.';
COMMENT ON COLUMN {audit}.quota_history.stream_id IS 'The quota: of whom, for which quarter.';
COMMENT ON COLUMN {audit}.quota_history.rep IS 'The rep whose quota it is; null for one of a team.';
COMMENT ON COLUMN {audit}.quota_history.team IS 'The team whose quota it is; null for one of a rep.';
COMMENT ON COLUMN {audit}.quota_history.quarter IS 'The fiscal quarter.';
COMMENT ON COLUMN {audit}.quota_history.event_id IS 'The event.';
COMMENT ON COLUMN {audit}.quota_history.type IS 'quota_assigned, quota_revised or quota_withdrawn.';
COMMENT ON COLUMN {audit}.quota_history.amount IS 'The quota from then on; null where it was withdrawn.';
COMMENT ON COLUMN {audit}.quota_history.currency IS 'Currency of the amount.';
COMMENT ON COLUMN {audit}.quota_history.previous_amount IS 'The quota until then.';
COMMENT ON COLUMN {audit}.quota_history.in_force_from IS 'From when it counts.';
COMMENT ON COLUMN {audit}.quota_history.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN {audit}.quota_history.told_at IS 'When the system was told that first recorded it (events).';
COMMENT ON COLUMN {audit}.quota_history.changed_by IS 'Who set it.';
COMMENT ON COLUMN {audit}.quota_history.reason IS 'Why it was withdrawn.';

CREATE OR REPLACE VIEW {audit}.members WITH (security_invoker) AS
SELECT rep, team, manager, role, joined_at, left_at, event_ids FROM {ledger}.audit_members;
COMMENT ON VIEW {audit}.members IS
    'Who was in which team under whom, from when until when. Stands where `audit` stands.';
COMMENT ON COLUMN {audit}.members.rep IS 'The person.';
COMMENT ON COLUMN {audit}.members.team IS 'The team.';
COMMENT ON COLUMN {audit}.members.manager IS 'To whom the person reported.';
COMMENT ON COLUMN {audit}.members.role IS 'rep, manager, process_owner, auditor or admin.';
COMMENT ON COLUMN {audit}.members.joined_at IS 'From when.';
COMMENT ON COLUMN {audit}.members.left_at IS 'Until when; null while it lasts.';
COMMENT ON COLUMN {audit}.members.event_ids IS 'The events that say so.';

CREATE OR REPLACE VIEW {audit}.forecasts WITH (security_invoker) AS
SELECT e.event_id, e.data ->> 'rep' AS rep, e.data ->> 'team' AS team,
       e.data ->> 'quarter' AS quarter, (e.data #>> '{{commit,amount}}')::numeric AS commit,
       (e.data #>> '{{best_case,amount}}')::numeric AS best_case,
       e.data #>> '{{commit,currency}}' AS currency, e.data ->> 'statement' AS statement,
       e.occurred_at, e.recorded_at, e.rep AS called_by
  FROM {audit}.events e WHERE e.topic = 'forecast.forecast_called.v1';
COMMENT ON VIEW {audit}.forecasts IS
    'Every forecast call. Stands at the head of the log.';
COMMENT ON COLUMN {audit}.forecasts.event_id IS 'The event.';
COMMENT ON COLUMN {audit}.forecasts.rep IS 'The rep it is for; null for one of a team.';
COMMENT ON COLUMN {audit}.forecasts.team IS 'The team it is for; null for one of a rep.';
COMMENT ON COLUMN {audit}.forecasts.quarter IS 'The fiscal quarter.';
COMMENT ON COLUMN {audit}.forecasts.commit IS 'What is committed.';
COMMENT ON COLUMN {audit}.forecasts.best_case IS 'What it may be at the best.';
COMMENT ON COLUMN {audit}.forecasts.currency IS 'Currency of what is committed.';
COMMENT ON COLUMN {audit}.forecasts.statement IS 'What was said with it.';
COMMENT ON COLUMN {audit}.forecasts.occurred_at IS 'When it was called.';
COMMENT ON COLUMN {audit}.forecasts.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN {audit}.forecasts.called_by IS 'Who called it.';

CREATE OR REPLACE VIEW {audit}.people WITH (security_invoker) AS
SELECT id, name FROM {ledger}.people;
COMMENT ON VIEW {audit}.people IS
    'What people are called, where it is known: a register beside the log, in which a name can be erased.';
COMMENT ON COLUMN {audit}.people.id IS 'The id that events name.';
COMMENT ON COLUMN {audit}.people.name IS 'The name.';

CREATE OR REPLACE VIEW {audit}.accesses WITH (security_invoker) AS
SELECT id, at, actor, role, credential, kind, request, request_id FROM {ledger}.accesses;
COMMENT ON VIEW {audit}.accesses IS
    'What auditors read and what anybody exported over the API. Questions by SQL are not in it: the log of the database server keeps those where it is told to.';
COMMENT ON COLUMN {audit}.accesses.id IS 'Number of the access.';
COMMENT ON COLUMN {audit}.accesses.at IS 'When.';
COMMENT ON COLUMN {audit}.accesses.actor IS 'Who.';
COMMENT ON COLUMN {audit}.accesses.role IS 'In which role.';
COMMENT ON COLUMN {audit}.accesses.credential IS 'With which credential: its id, never its secret.';
COMMENT ON COLUMN {audit}.accesses.kind IS 'read or export.';
COMMENT ON COLUMN {audit}.accesses.request IS 'What was asked.';
COMMENT ON COLUMN {audit}.accesses.request_id IS 'The id of the request, as the server''s log has it.';
