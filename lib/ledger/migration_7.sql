-- A search index that was lost is filled anew from the chunks of its table.
ALTER TABLE csvp.dataset ADD since bigint NOT NULL DEFAULT 0; -- jobs of a lower seq went into a table that was dropped
UPDATE csvp.dataset d SET since = b.seq FROM csvp.job b WHERE b.id = d.builder AND b.seq IS NOT NULL;
ALTER TABLE csvp.chunk ADD again int NOT NULL DEFAULT 0; -- how often all its records had to be indexed again
CREATE INDEX ON csvp.chunk (job, number) WHERE again > 0;

-- Older documents know neither numbers nor words; without their tables they are made anew.
DO $$
DECLARE
	number text;
BEGIN
	FOR number IN
		SELECT substr(relname, 5) FROM pg_class d
		 WHERE relnamespace = 'csvp'::regnamespace AND relkind = 'r' AND relname ~ '^doc_[0-9]+$'
		   AND (to_regclass('csvp.word_' || substr(relname, 5)) IS NULL
		     OR NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = d.oid AND attname = '_numbers'))
	LOOP
		EXECUTE format('DROP TABLE csvp.doc_%s', number);
		EXECUTE format('DROP TABLE IF EXISTS csvp.word_%s', number);
	END LOOP;
END $$;
