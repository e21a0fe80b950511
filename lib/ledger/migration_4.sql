-- Which database this is, among those that keep their uploads in one store: none touches the objects of another.
CREATE TABLE csvp.site (
	id text NOT NULL DEFAULT substr(replace(gen_random_uuid()::text, '-', ''), 1, 12)
);
INSERT INTO csvp.site DEFAULT VALUES;
