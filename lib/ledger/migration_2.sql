-- Messages of the queue driver pg: (DESIGN 4). Hints, one per queue and reference, gone when they are acknowledged.
CREATE TABLE csvp.message (
	queue      text COLLATE "C" NOT NULL,
	reference  text COLLATE "C" NOT NULL, -- JOB or JOB/CHUNK
	body       text NOT NULL,
	sent_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
	visible_at timestamptz NOT NULL DEFAULT clock_timestamp(), -- in the future: in flight
	receipt    uuid,                                           -- of its last delivery; NULL: none, or handed back
	received   int NOT NULL DEFAULT 0,
	again      boolean NOT NULL DEFAULT false,                 -- sent once more since that delivery
	PRIMARY KEY (queue, reference)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX ON csvp.message (queue, visible_at);
