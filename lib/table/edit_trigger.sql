-- The trigger function of one dataset's table; OR REPLACE: the table may have been dropped, or its key have a new type.
-- $dataset is its id, $old_key and $new_key the key as text[].
CREATE OR REPLACE FUNCTION csvp.edit_$dataset() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET DateStyle = 'ISO'
AS $trigger$
DECLARE
	edit bigint;
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		RAISE EXCEPTION 'TRUNCATE of %.% would leave its search index behind', TG_TABLE_SCHEMA, TG_TABLE_NAME
			USING HINT = format('use DELETE FROM %I.%I', TG_TABLE_SCHEMA, TG_TABLE_NAME), ERRCODE = 'feature_not_supported';
	END IF;
	IF TG_WHEN = 'BEFORE' THEN
		NEW._version := GREATEST(OLD._version + 1, csvp.edit_version($dataset));
		RETURN NEW;
	END IF;
	-- A changed key is a delete and an insert.
	IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND $old_key IS DISTINCT FROM $new_key) THEN
		edit := GREATEST(OLD._version + 1, csvp.edit_version($dataset));
		INSERT INTO csvp.tombstone AS d (dataset, key, version) VALUES ($dataset, $old_key, edit)
			ON CONFLICT (dataset, key) DO UPDATE SET version = GREATEST(d.version, excluded.version);
		INSERT INTO csvp.change (dataset, key, version, deleted) VALUES ($dataset, $old_key, edit, true);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		INSERT INTO csvp.change (dataset, key, version, deleted) VALUES ($dataset, $new_key, NEW._version, false);
	END IF;
	RETURN NULL;
END
$trigger$
