-- Which database collects the garbage in the store (DESIGN 4). A copy of a database, restored from a dump or promoted, has
-- the site's name and with it the keys of the original's objects, but another identity.
CREATE FUNCTION csvp.identity() RETURNS text
	LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
	AS $$ SELECT format('%s/%s/%s', system_identifier, d.oid, left(pg_walfile_name(pg_current_wal_lsn()), 8))
	        FROM pg_control_system(), pg_database d WHERE d.datname = current_database() $$;
ALTER TABLE csvp.site ADD owner text;
UPDATE csvp.site SET owner = csvp.identity();

-- What is kept of a job that gc has removed, with its object, rejects and chunks: its row, and one chunk with its books.
ALTER TABLE csvp.job ADD removed_at timestamptz;
ALTER TABLE csvp.job ADD removed_rows bigint;     -- that it had in the table then: never more
ALTER TABLE csvp.job ADD removed_replayed bigint; -- of its rejects

DROP VIEW csvp.job_status;
-- As before, but for the replayed rejects that were removed.
CREATE VIEW csvp.job_status AS
SELECT j.*, d.name AS dataset_name, d.state AS dataset_state,
       c.total, c.pending, c.running, c.loaded, c.indexed_chunks, c.failed,
       c.inserted, c.updated, c.unchanged, c.superseded, c.rejected, c.indexed, r.replayed,
       v.over_limit,
       CASE WHEN j.cancelled THEN 'cancelled'
            WHEN j.paused THEN 'paused'
            WHEN j.state = 'uploading' THEN 'uploading'
            WHEN j.error IS NOT NULL THEN 'failed'
            WHEN j.state = 'stored' THEN 'waiting'
            WHEN j.fail_fast AND v.over_limit THEN 'failed'
            WHEN c.pending + c.running > 0 THEN 'loading'
            WHEN d.state <> 'ready' AND c.total > 0 THEN 'loading'
            WHEN c.failed > 0 THEN 'failed'
            WHEN v.over_limit THEN 'failed'
            WHEN c.loaded > 0 THEN 'indexing'
            ELSE 'done' END AS derived
  FROM csvp.job j
  JOIN csvp.dataset d ON d.id = j.dataset
 CROSS JOIN LATERAL (
	SELECT count(*) AS total,
	       count(*) FILTER (WHERE k.state = 'pending' AND l.chunk IS NULL) AS pending,
	       count(*) FILTER (WHERE k.state = 'pending' AND l.chunk IS NOT NULL) AS running,
	       count(*) FILTER (WHERE k.state = 'loaded') AS loaded,
	       count(*) FILTER (WHERE k.state = 'indexed') AS indexed_chunks,
	       count(*) FILTER (WHERE k.state = 'failed') AS failed,
	       coalesce(sum(k.inserted), 0)::bigint AS inserted, coalesce(sum(k.updated), 0)::bigint AS updated,
	       coalesce(sum(k.unchanged), 0)::bigint AS unchanged, coalesce(sum(k.superseded), 0)::bigint AS superseded,
	       coalesce(sum(k.rejected), 0)::bigint AS rejected, coalesce(sum(k.indexed), 0)::bigint AS indexed
	  FROM csvp.chunk k LEFT JOIN csvp.running l ON l.job = k.job AND l.chunk = k.number
	 WHERE k.job = j.id) c
 CROSS JOIN LATERAL (
	SELECT count(*) + coalesce(j.removed_replayed, 0) AS replayed FROM csvp.reject WHERE job = j.id AND replayed) r
 CROSS JOIN LATERAL (
	SELECT CASE WHEN j.max_rejects LIKE '%\%'
	            THEN (c.rejected - r.replayed) * 100 > rtrim(j.max_rejects, '%')::numeric * j.records
	            ELSE c.rejected - r.replayed > j.max_rejects::numeric END AS over_limit) v;
