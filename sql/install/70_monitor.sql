CREATE FUNCTION modelhop.version() RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'modelhop_version';
COMMENT ON FUNCTION modelhop.version() IS
'The version and build of modelhop, and of the trainer where one runs. Starts nothing.';
