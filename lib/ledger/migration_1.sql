-- The ledger: what every job, chunk and reject is, and the rules that need a row of their own.
CREATE TABLE csvp.dataset (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name         text NOT NULL UNIQUE,
	table_schema text NOT NULL,
	table_name   text NOT NULL,
	state        text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'building', 'ready')),
	key          text[] NOT NULL DEFAULT '{}', -- headers; of the first live job
	seq          bigint NOT NULL DEFAULT 0,    -- of the newest job
	seal         bigint NOT NULL DEFAULT 0,    -- records of jobs below it are refused
	generation   bigint NOT NULL DEFAULT 0,    -- raised when a column changes
	builder      bigint,                       -- the job that fills a table still without its key
	created_at   timestamptz NOT NULL DEFAULT now(),
	UNIQUE (table_schema, table_name)
);

-- Header and order only: the types are the catalog's.
CREATE TABLE csvp.dataset_column (
	dataset   bigint NOT NULL REFERENCES csvp.dataset ON DELETE CASCADE,
	position  int NOT NULL,
	header    text NOT NULL,
	name      text NOT NULL,
	undecided boolean NOT NULL DEFAULT false, -- no value yet: text until the first
	PRIMARY KEY (dataset, position),
	UNIQUE (dataset, name)
);

CREATE TABLE csvp.job (
	id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	dataset      bigint NOT NULL REFERENCES csvp.dataset ON DELETE CASCADE,
	seq          bigint CHECK (seq BETWEEN 1 AND 16777215), -- NULL while uploading
	state        text NOT NULL DEFAULT 'uploading' CHECK (state IN ('uploading', 'stored', 'split')),
	cancelled    boolean NOT NULL DEFAULT false,
	paused       boolean NOT NULL DEFAULT false,
	error        text,              -- of the split
	error_code   int,
	file         text NOT NULL,     -- as the user named it
	object       text NOT NULL,     -- key in the object store
	after_edits  boolean NOT NULL DEFAULT false, -- the table was edited between the job before and this one
	sha256       bytea,             -- of the bytes as received
	bytes        bigint,            -- as received
	object_bytes bigint,            -- as stored: inflated, in UTF-8
	options      jsonb NOT NULL,    -- those that change records
	max_rejects  text NOT NULL DEFAULT '0',
	fail_fast    boolean NOT NULL DEFAULT false,
	columns      int[],             -- for each field of the file its dataset_column.position, -1: a column to pass over
	unique_keys  boolean NOT NULL DEFAULT false,
	records      bigint NOT NULL DEFAULT 0,
	blank_lines  bigint NOT NULL DEFAULT 0,
	created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	started_at   timestamptz,
	finished_at  timestamptz,
	deliveries   int NOT NULL DEFAULT 0, -- to split workers
	UNIQUE (dataset, seq)
);
CREATE INDEX ON csvp.job (sha256);

CREATE TABLE csvp.chunk (
	job        bigint NOT NULL REFERENCES csvp.job ON DELETE CASCADE,
	number     bigint NOT NULL,
	byte       bigint NOT NULL, -- offset in the object
	length     bigint NOT NULL,
	line       bigint NOT NULL, -- of its first record
	records    bigint NOT NULL,
	state      text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'loaded', 'indexed', 'failed')),
	deliveries int NOT NULL DEFAULT 0, -- to workers, in this state
	inserted   bigint NOT NULL DEFAULT 0,
	updated    bigint NOT NULL DEFAULT 0,
	unchanged  bigint NOT NULL DEFAULT 0,
	superseded bigint NOT NULL DEFAULT 0,
	rejected   bigint NOT NULL DEFAULT 0,
	indexed    bigint NOT NULL DEFAULT 0,
	error      text,
	loaded_at  timestamptz,
	indexed_at timestamptz,
	load_ms    bigint,
	PRIMARY KEY (job, number)
) WITH (fillfactor = 70);

-- A reject is a pointer: the raw record stays in the object.
CREATE TABLE csvp.reject (
	job      bigint NOT NULL,
	chunk    bigint NOT NULL,
	byte     bigint NOT NULL,
	line     bigint NOT NULL,
	length   bigint NOT NULL,
	header   text,          -- of the column; NULL: the whole record
	code     text NOT NULL,
	reason   text NOT NULL,
	replayed boolean NOT NULL DEFAULT false,
	PRIMARY KEY (job, byte),
	FOREIGN KEY (job, chunk) REFERENCES csvp.chunk ON DELETE CASCADE
);
CREATE INDEX ON csvp.reject (job, chunk);

-- Edits made outside jobs, on their way to the search index.
CREATE TABLE csvp.change (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	dataset bigint NOT NULL REFERENCES csvp.dataset ON DELETE CASCADE,
	key     text[] COLLATE "C" NOT NULL, -- canonical text of the key columns, or of _id
	version bigint NOT NULL,
	deleted boolean NOT NULL
);
CREATE INDEX ON csvp.change (dataset, id);

-- A deleted key, so that a late chunk cannot bring an older record back.
CREATE TABLE csvp.tombstone (
	dataset bigint NOT NULL REFERENCES csvp.dataset ON DELETE CASCADE,
	key     text[] COLLATE "C" NOT NULL,
	version bigint NOT NULL,
	PRIMARY KEY (dataset, key)
);

-- The version an edit takes. SECURITY DEFINER: who may write the table need not know the sequence.
CREATE FUNCTION csvp.edit_version(dataset bigint) RETURNS bigint
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
	AS $$ SELECT nextval(format('csvp.version_%s', dataset)::regclass) $$;

-- Who works on what: "running" is a held advisory lock (ledger.h has the packing), never a stored state.
CREATE VIEW csvp.running AS
SELECT ((classid::bigint << 32 | objid::bigint) >> 26) & 17179869183 AS job,
       (classid::bigint << 32 | objid::bigint) & 67108863 AS chunk,
       pid
  FROM pg_catalog.pg_locks
 WHERE locktype = 'advisory' AND objsubid = 1 AND granted
   AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
   AND (classid::bigint << 32 | objid::bigint) >> 60 = 3;

-- A job with its books and its derived state: the first that fits (DESIGN 6).
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
 CROSS JOIN LATERAL (SELECT count(*) AS replayed FROM csvp.reject WHERE job = j.id AND replayed) r
 CROSS JOIN LATERAL (
	SELECT CASE WHEN j.max_rejects LIKE '%\%'
	            THEN (c.rejected - r.replayed) * 100 > rtrim(j.max_rejects, '%')::numeric * j.records
	            ELSE c.rejected - r.replayed > j.max_rejects::numeric END AS over_limit) v;
