-- The blocks that a chunk's load has added to the table: where its rows are read from at once, if they are still there.
ALTER TABLE csvp.chunk ADD first_block bigint NOT NULL DEFAULT 0, ADD end_block bigint NOT NULL DEFAULT 0;
