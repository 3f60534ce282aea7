-- What totals are made of is read from the rows: kept in the keys as well, it made the slabs slower
-- to write than it made totals faster.
ALTER TABLE slabs DROP CONSTRAINT slabs_pkey;
ALTER TABLE slabs ADD PRIMARY KEY (slab, from_position, since_position);
ALTER TABLE hindsight_slabs DROP CONSTRAINT hindsight_slabs_pkey;
ALTER TABLE hindsight_slabs ADD PRIMARY KEY (slab, from_instant, since_position);

-- Deals that came back after they were closed or deleted: few, and a difference looks for them.
CREATE INDEX spans_back ON spans (until_position)
    WHERE (closed IS NOT NULL OR deleted) AND until_position IS NOT NULL;
CREATE INDEX hindsight_spans_back ON hindsight_spans (until_instant)
    WHERE (closed IS NOT NULL OR deleted) AND until_instant IS NOT NULL;
