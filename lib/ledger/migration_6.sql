-- Uploads that broke off and can go on (DESIGN 4): the file they are of, and what the store has of it.
CREATE TABLE csvp.upload (
	job      bigint PRIMARY KEY REFERENCES csvp.job ON DELETE CASCADE,
	upload   text NOT NULL,   -- what the store calls it
	device   numeric NOT NULL,
	inode    numeric NOT NULL,
	size     bigint NOT NULL,
	modified numeric NOT NULL, -- nanoseconds
	begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE csvp.upload_part (
	job    bigint NOT NULL REFERENCES csvp.upload ON DELETE CASCADE,
	number int NOT NULL, -- from 1, without gaps
	length bigint NOT NULL,
	sha256 bytea NOT NULL,
	etag   text NOT NULL,
	PRIMARY KEY (job, number)
);
