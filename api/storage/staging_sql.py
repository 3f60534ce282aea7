"""The SQL of an import's staging table: what becomes of each line, and why."""

from typing import Final, LiteralString

OPEN: Final[LiteralString] = "SELECT open_import()"
COPY: Final[LiteralString] = (
    "COPY import_lines (seq, stream_id, is_deal, external_stream, external_id, event_id, topic,"
    " data, occurred_at, source_recorded_at, actor, on_behalf_of, cause, file, row, file_sha256,"
    " source_system, cause_id, refers_to, recorded_at, stated_at, place) FROM STDIN"
)
INDEX: Final[LiteralString] = "SELECT index_import()"

AS_IT_IS: Final[LiteralString] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""What another import appends meanwhile is not seen in one comparison and missed in another."""

HEAD: Final[LiteralString] = "SELECT position FROM log_head"
REFERRED: Final[LiteralString] = """
UPDATE import_lines l
   SET refers_to = e.event_id,
       data = replace(l.data, '"event_id":"' || o.event_id || '"',
                      '"event_id":"' || e.event_id || '"')
  FROM import_lines o
  JOIN events e ON e.source_system = coalesce(o.source_system, %(system)s)
               AND e.external_id = o.external_id
 WHERE l.fate IS NULL AND l.refers_to = o.event_id AND e.event_id <> o.event_id
"""
"""What the log has is known by the id that it has there, whatever a line of it would bring."""

REFERRED_CAUSE: Final[LiteralString] = """
UPDATE import_lines l SET cause_id = e.event_id
  FROM import_lines o
  JOIN events e ON e.source_system = coalesce(o.source_system, %(system)s)
               AND e.external_id = o.external_id
 WHERE l.fate IS NULL AND l.cause_id = o.event_id AND e.event_id <> o.event_id
"""
RESTATED: Final[LiteralString] = """
UPDATE import_lines l
   SET fate = CASE WHEN s.newer THEN NULL ELSE 'duplicate' END,
       external_id = CASE WHEN s.newer THEN s.name ELSE l.external_id END,
       event_id = CASE WHEN s.newer THEN (left(l.event_id::text, 24)
                                          || left(md5(s.name), 12))::uuid ELSE l.event_id END,
       topic = CASE WHEN s.newer THEN 'deal.event_amended.v1' ELSE l.topic END,
       data = CASE WHEN s.newer THEN '{"event_id":"' || s.event_id || '","data":' || l.data
              || ',"reason":"A newer export states it so."}' ELSE l.data END,
       occurred_at = CASE WHEN s.newer THEN l.stated_at ELSE l.occurred_at END,
       source_recorded_at = CASE WHEN s.newer THEN l.stated_at ELSE l.source_recorded_at END
  FROM (SELECT o.seq, e.event_id, e.stream_id, e.source_system,
               o.external_id || ':stated:' || to_char(o.stated_at AT TIME ZONE 'UTC',
                   'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS name,
               o.data <> coalesce(r.data, e.data::text)
               AND (r.stated_at IS NULL OR o.stated_at > r.stated_at) AS newer
          FROM import_lines o
          JOIN events e ON e.source_system = coalesce(o.source_system, %(system)s)
                       AND e.external_id = o.external_id
          LEFT JOIN LATERAL (
               SELECT (a.data -> 'data')::text AS data, a.occurred_at AS stated_at
                 FROM events a
                WHERE a.data ->> 'event_id' = e.event_id::text
                  AND a.topic = 'deal.event_amended.v1'
                  AND starts_with(a.external_id, o.external_id || ':stated:')
                ORDER BY a.occurred_at DESC LIMIT 1) r ON true
         WHERE o.fate IS NULL AND o.stated_at IS NOT NULL
           AND (o.stream_id, o.occurred_at) = (e.stream_id, e.occurred_at)
           AND o.topic = e.topic AND o.topic <> 'deal.discount_offered.v1'
           AND CASE WHEN r.stated_at IS NULL THEN o.data <> e.data::text
                    ELSE o.data = r.data OR o.stated_at <> r.stated_at END
           AND NOT EXISTS (
               SELECT FROM events a
                WHERE a.data ->> 'event_id' = e.event_id::text
                  AND a.topic IN ('deal.event_amended.v1', 'deal.event_retracted.v1')
                  AND starts_with(a.external_id, o.external_id || ':stated:') IS NOT TRUE)) s
 WHERE l.seq = s.seq
   AND NOT (s.newer AND EXISTS (
       SELECT FROM events n
        WHERE n.stream_id = s.stream_id AND n.source_system = s.source_system
          AND coalesce(n.source_recorded_at, n.occurred_at) > l.stated_at
          AND n.topic IN (
              'deal.stage_entered.v1', 'deal.amount_changed.v1', 'deal.close_date_moved.v1',
              'deal.owner_changed.v1', 'deal.forecast_category_changed.v1',
              'deal.deal_moved_to_process.v1', 'deal.deal_won.v1', 'deal.deal_lost.v1',
              'deal.win_reversed.v1', 'deal.deal_reopened.v1', 'deal.deal_deleted.v1',
              'deal.event_amended.v1')))
"""
"""What the source came to state otherwise of an event amends it; an older export amends nothing.

It is older where the log has a later change of the very deal: another import told more of it. What
was corrected otherwise since is left alone, and so is an offer: what comes in its place is another
offer, and when it was made is not known.
"""

OFFERED_AGAIN: Final[LiteralString] = """
UPDATE import_lines l
   SET fate = CASE WHEN s.same THEN 'duplicate' END,
       external_id = CASE WHEN s.same THEN l.external_id ELSE s.name END,
       event_id = CASE WHEN s.same THEN l.event_id
                       ELSE (left(l.event_id::text, 24) || left(md5(s.name), 12))::uuid END
  FROM (SELECT o.seq, o.data = f.data AS same,
               o.external_id || ':again:' || to_char(o.occurred_at AT TIME ZONE 'UTC',
                   'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS name
          FROM import_lines o
          JOIN events e ON e.source_system = coalesce(o.source_system, %(system)s)
                       AND e.external_id = o.external_id
         CROSS JOIN LATERAL (
               SELECT a.data::text AS data FROM events a
                WHERE a.stream_id = e.stream_id AND a.topic = e.topic
                  AND a.source_system = e.source_system AND a.occurred_at <= o.occurred_at
                  AND (a.external_id = o.external_id
                       OR starts_with(a.external_id, o.external_id || ':again:'))
                ORDER BY a.occurred_at DESC LIMIT 1) f
         WHERE o.fate IS NULL AND o.stated_at IS NOT NULL
           AND o.topic = 'deal.discount_offered.v1' AND o.topic = e.topic
           AND o.stream_id = e.stream_id AND o.occurred_at > e.occurred_at) s
 WHERE l.seq = s.seq
"""
"""A price without a history was changed since it was told: another offer, if it says another."""

STORED: Final[LiteralString] = """
UPDATE import_lines l
   SET fate = s.fate, reason = CASE s.fate WHEN 'rejected' THEN
       'changed: the log has something else under this external id, at position ' || s.position END
  FROM (SELECT o.seq, e.position, CASE WHEN (o.stream_id, o.topic, o.data, o.occurred_at)
                  = (e.stream_id, e.topic, e.data::text, e.occurred_at)
               THEN 'duplicate' ELSE 'rejected' END AS fate
          FROM import_lines o
          JOIN events e ON e.source_system = coalesce(o.source_system, %(system)s)
                        AND e.external_id = o.external_id
         WHERE o.fate IS NULL) s
 WHERE l.seq = s.seq
"""
REPEATED: Final[LiteralString] = """
UPDATE import_lines l
   SET fate = s.fate, reason = CASE s.fate WHEN 'rejected' THEN
       'changed: ' || s.file || ', row ' || s.row || ', has something else under this external id'
       END
  FROM (SELECT o.seq, f.file, f.row, CASE WHEN (o.stream_id, o.topic, o.data, o.occurred_at)
                  = (f.stream_id, f.topic, f.data, f.occurred_at)
               THEN 'duplicate' ELSE 'rejected' END AS fate
          FROM import_lines o
          JOIN (SELECT external_id, source_system, min(seq) AS seq FROM import_lines
                 WHERE fate IS NULL GROUP BY external_id, source_system HAVING count(*) > 1) g
            ON g.external_id = o.external_id AND g.seq < o.seq
           AND g.source_system IS NOT DISTINCT FROM o.source_system
          JOIN import_lines f ON f.seq = g.seq
         WHERE o.fate IS NULL) s
 WHERE l.seq = s.seq
"""
STORED_ID: Final[LiteralString] = """
UPDATE import_lines l
   SET fate = s.fate, reason = CASE s.fate WHEN 'rejected' THEN
       'changed: the log has something else under this event_id, at position ' || s.position END
  FROM (SELECT o.seq, e.position, CASE WHEN (o.stream_id, o.topic, o.data, o.occurred_at)
                  = (e.stream_id, e.topic, e.data::text, e.occurred_at)
               THEN 'duplicate' ELSE 'rejected' END AS fate
          FROM import_lines o JOIN events e ON e.event_id = o.event_id
         WHERE o.fate IS NULL) s
 WHERE l.seq = s.seq
"""
"""What comes back to the ledger that told it first: there it has no source and no external id."""

REPEATED_ID: Final[LiteralString] = """
UPDATE import_lines l
   SET fate = 'rejected', reason =
       'event_id: ' || f.file || ', row ' || f.row || ', has it under another external id'
  FROM (SELECT event_id, min(seq) AS seq FROM import_lines
         WHERE fate IS NULL GROUP BY event_id HAVING count(*) > 1) g
  JOIN import_lines f ON f.seq = g.seq
 WHERE l.fate IS NULL AND g.event_id = l.event_id AND g.seq < l.seq
"""
RECORDED: Final[LiteralString] = """
UPDATE import_lines l SET recorded_at = a.earliest
  FROM (SELECT coalesce(min(o.recorded_at), min(o.occurred_at)) AS earliest
          FROM import_lines o WHERE o.fate IS NULL) a
 WHERE l.fate IS NULL AND l.recorded_at IS NULL
"""
"""Context takes the source's earliest time; a deal's event was told when it happened."""

FUTURE: Final[LiteralString] = """
UPDATE import_lines SET fate = 'rejected', reason =
       'recorded_at ' || recorded_at || ' lies in the future'
 WHERE fate IS NULL AND recorded_at > clock_timestamp()
"""
EARLY: Final[LiteralString] = """
UPDATE import_lines l SET fate = 'rejected', reason =
       replace('occurred_at: '
               || to_char(l.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               || ' lies before the deal was opened, on '
               || to_char(o.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               '.000000', '')
  FROM (SELECT m.seq, known.at
          FROM (SELECT seq, stream_id, occurred_at,
                       fate IS NULL AND place = %(written)s
                           AND topic = ANY(%(standings)s) AS stands,
                       min(occurred_at) FILTER (WHERE topic = 'deal.deal_opened.v1')
                           OVER (PARTITION BY stream_id) AS opened_at
                  FROM import_lines WHERE is_deal AND (fate IS NULL OR fate = 'appended')) m
         CROSS JOIN LATERAL (
               SELECT coalesce(min(e.occurred_at), m.opened_at) AS at FROM events e
                WHERE e.stream_id = m.stream_id AND e.topic = 'deal.deal_opened.v1') known
         WHERE m.stands AND m.occurred_at < coalesce(m.opened_at, 'infinity')
           AND m.occurred_at < known.at) o
 WHERE l.seq = o.seq
"""
"""A deal stands nowhere before it is opened. Readers of other sources open it by then; a line that
somebody wrote is taken as it stands, so this one contradicts its deal, as the API would say.
"""

UNOPENED: Final[LiteralString] = """
UPDATE import_lines l SET fate = 'rejected', reason =
       'the deal ' || l.external_stream || ' is opened by no line of this import, nor in the log'
  FROM (SELECT seq, stream_id, fate,
               bool_or((topic = 'deal.deal_opened.v1' OR place < %(written)s)
                       AND (fate IS NULL OR fate = 'appended'))
                   OVER (PARTITION BY stream_id) AS opened
          FROM import_lines WHERE is_deal) u
 WHERE l.seq = u.seq AND u.fate IS NULL AND NOT u.opened
   AND NOT EXISTS (SELECT FROM events e WHERE e.stream_id = u.stream_id)
"""
"""Of a deal whose opening is a reject nothing could be told: it would be in no list.

Nor does another line open it that says the same as the rejected one. What a ledger exported of a
deal comes back without its opening.
"""

DEALLESS: Final[LiteralString] = """
UPDATE import_lines SET fate = 'rejected', reason =
       'no deal of this import can be told, so nothing of it is imported'
 WHERE fate IS NULL
   AND NOT EXISTS (SELECT FROM import_lines WHERE is_deal AND fate IS DISTINCT FROM 'rejected')
   AND (%(rejected)s OR EXISTS (SELECT FROM import_lines WHERE fate = 'rejected'))
   AND NOT EXISTS (SELECT FROM events WHERE source_system = %(system)s)
"""
"""What a profile declares that fits no row stays out of the log, which would keep it for ever.

Of a source that the log knows, quotas are told also where each of its deals is a reject.
"""

UNCAUSED: Final[LiteralString] = """
UPDATE import_lines l SET fate = 'rejected', reason =
       'caused_by ' || l.cause || ' is neither a line of this import nor of an earlier one'
 WHERE l.fate IS NULL AND l.cause IS NOT NULL
   AND NOT EXISTS (SELECT FROM import_lines o
                    WHERE o.external_id = l.cause AND o.fate IS NULL AND o.seq <> l.seq
                      AND o.source_system IS NOT DISTINCT FROM l.source_system)
   AND NOT EXISTS (SELECT FROM events e
                    WHERE e.source_system = coalesce(l.source_system, %(system)s)
                      AND e.external_id = l.cause)
   AND NOT EXISTS (SELECT FROM import_lines o
                    WHERE o.event_id = l.cause_id AND o.fate IS NULL AND o.seq <> l.seq)
   AND NOT EXISTS (SELECT FROM events e WHERE e.event_id = l.cause_id)
"""
"""Said again until nothing changes, because a rejected line cannot be a cause either."""

UNKNOWN: Final[LiteralString] = """
UPDATE import_lines l SET fate = 'rejected', reason =
       'data.event_id: of this deal, it names neither a line of this import nor an event of the log'
 WHERE l.fate IS NULL AND l.refers_to IS NOT NULL
   AND NOT EXISTS (SELECT FROM import_lines o
                    WHERE o.event_id = l.refers_to AND o.fate IS NULL AND o.seq <> l.seq
                      AND (o.stream_id = l.stream_id OR l.place < %(written)s))
   AND NOT EXISTS (SELECT FROM events e
                    WHERE e.event_id = l.refers_to
                      AND (e.stream_id = l.stream_id OR l.place < %(written)s))
"""
"""Said again as well: what a rejected line is about is not there. What a ledger exported is taken
as it stands; any other line is about an event of its own deal, as the API has it.
"""

CAUSED: Final[LiteralString] = """
UPDATE import_lines l SET caused_by = coalesce(
       (SELECT e.event_id FROM events e
         WHERE e.source_system = coalesce(l.source_system, %(system)s)
           AND e.external_id = l.cause),
       (SELECT o.event_id FROM import_lines o WHERE o.external_id = l.cause AND o.fate IS NULL
           AND o.source_system IS NOT DISTINCT FROM l.source_system),
       l.cause_id)
 WHERE l.fate IS NULL AND l.cause IS NOT NULL
"""
REFUSALS: Final[LiteralString] = (
    "SELECT refusal FROM founding_refusal() refusal WHERE refusal IS NOT NULL"
    " AND (EXISTS (SELECT FROM import_lines WHERE fate IS NULL)"
    "      OR EXISTS (SELECT FROM events WHERE caller = %(caller)s AND clock <> 'source'))"
)
"""What this source founded already may be told again: that changes nothing."""

APPEND_FOUNDING: Final[LiteralString] = (
    "SELECT append_founding(%(system)s, %(caller)s)"
    " WHERE EXISTS (SELECT FROM import_lines WHERE fate IS NULL)"
)
APPEND_WINDOW: Final[LiteralString] = (
    "SELECT append_import(%(system)s, %(caller)s, %(sent_at)s, %(known)s, %(seqs)s::bigint[])"
)
NEXT_ROUND: Final[LiteralString] = (
    "UPDATE import_lines SET fate = CASE WHEN fate IS NULL THEN 'appended' END"
    " WHERE fate IS NULL OR fate = 'overtaken'"
)
"""What another import was quicker with is looked at again."""

OVERTAKEN: Final[LiteralString] = (
    "UPDATE import_lines SET fate = 'overtaken' WHERE seq = ANY(%(seqs)s::bigint[])"
)

MARK_REFUSED: Final[LiteralString] = (
    "UPDATE import_lines SET fate = 'rejected', reason = %(reason)s WHERE seq = %(seq)s"
)
TO_APPEND: Final[LiteralString] = (
    "SELECT seq, stream_id, occurred_at FROM import_lines WHERE fate IS NULL"
    " ORDER BY is_deal, stream_id, occurred_at, place, seq"
)
REJECTS: Final[LiteralString] = (
    "SELECT file, row, reason FROM import_lines WHERE fate = 'rejected' ORDER BY seq"
)
COUNTS: Final[LiteralString] = (
    "SELECT count(*) FILTER (WHERE fate = 'duplicate'),"
    " count(DISTINCT stream_id) FILTER (WHERE is_deal AND (fate IS NULL OR fate = 'appended')),"
    " count(*) FILTER (WHERE (fate IS NULL OR fate = 'appended') AND stated_at IS NOT NULL"
    " AND topic = 'deal.event_amended.v1')"
    " FROM import_lines"
)
NAMED: Final[LiteralString] = (
    "SELECT CASE WHEN source_system IS NULL THEN external_id END, event_id, topic"
    "  FROM import_lines WHERE event_id::text = ANY(%(names)s)"
    "    OR (source_system IS NULL AND external_id = ANY(%(names)s)) ORDER BY seq DESC"
)
"""Of lines under one id the first one counts, which comes last here."""
TOPICS: Final[LiteralString] = (
    "SELECT topic, count(*) FROM import_lines WHERE fate IS NULL OR fate = 'appended'"
    " GROUP BY topic ORDER BY topic"
)
