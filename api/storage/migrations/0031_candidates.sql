-- Each act is looked up by its event: what can have a verdict, or break a rule, is found by its row.
DROP INDEX acts_near_the_end;
CREATE INDEX acts_of_an_event ON acts (event_id);
-- What offers are compared with.
CREATE INDEX acts_to_compare ON acts (rep) WHERE interior AND kind = 'discount_offered';
-- Ticks of a status that few have.
CREATE INDEX ticks_not_expressible ON ticks (deal_id) WHERE NOT expressible;
CREATE INDEX ticks_shown_late ON ticks (deal_id) WHERE reached_at > settles_at;
CREATE INDEX ticks_that_settle ON ticks (settles_at);
