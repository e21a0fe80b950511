-- Names that callers give to their uploads: one that is sent again is the same job (DESIGN 10, Idempotency-Key).
CREATE TABLE csvp.request (
	dataset bigint NOT NULL REFERENCES csvp.dataset ON DELETE CASCADE,
	name    text NOT NULL,
	job     bigint NOT NULL REFERENCES csvp.job ON DELETE CASCADE,
	PRIMARY KEY (dataset, name)
);
CREATE INDEX ON csvp.request (job);
