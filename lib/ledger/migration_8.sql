-- Who may use the HTTP API: of a token only its SHA-256 is kept.
CREATE TABLE csvp.api_token (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name       text NOT NULL UNIQUE,
	scope      text NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
	sha256     bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires_at timestamptz -- NULL: never
);
