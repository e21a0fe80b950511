-- Rows that the search engine refuses for good: they have no document until they are changed, or taken after all.
CREATE TABLE csvp.index_reject (
	dataset bigint NOT NULL REFERENCES csvp.dataset ON DELETE CASCADE,
	key     text[] COLLATE "C" NOT NULL, -- canonical text of the key columns, or of _id
	version bigint NOT NULL,             -- of the row: the job and the byte of its record, or an edit
	reason  text NOT NULL,
	PRIMARY KEY (dataset, key)
);
CREATE INDEX ON csvp.index_reject (dataset, version);
