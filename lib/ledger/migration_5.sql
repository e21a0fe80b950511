-- What answers of a dataset's index are told by, a new value after each of its refreshes (DESIGN 4, the cache).
CREATE TABLE csvp.index_generation (
	dataset    bigint PRIMARY KEY REFERENCES csvp.dataset ON DELETE CASCADE,
	generation uuid NOT NULL
) WITH (fillfactor = 50);
