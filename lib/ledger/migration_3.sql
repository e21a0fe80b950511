-- The limits of all workers on all hosts: one token bucket a resource (DESIGN 8).
CREATE TABLE csvp.throttle (
	resource   text PRIMARY KEY CHECK (resource IN ('load', 'index')),
	per_second bigint CHECK (per_second > 0),                   -- NULL: unlimited
	bytes      boolean NOT NULL DEFAULT false,                  -- of bytes, not of records
	free_at    timestamptz NOT NULL DEFAULT clock_timestamp(),  -- all before this moment is given out
	changed_at timestamptz NOT NULL DEFAULT clock_timestamp()   -- when the rate was set
);
