-- The extension makes its schema itself, and takes it away again.
SELECT modelhop.version() ~ '\d+\.\d+\.\d+' AS version_is_told;
DROP EXTENSION modelhop;
SELECT count(*) FROM pg_namespace WHERE nspname = 'modelhop';
-- A schema of that name that is somebody else's is left alone.
CREATE SCHEMA modelhop;
CREATE EXTENSION modelhop;
DROP SCHEMA modelhop;
CREATE EXTENSION modelhop;
-- Everybody may use it.
CREATE ROLE regress_modelhop_reader;
SET ROLE regress_modelhop_reader;
SELECT modelhop.version() IS NOT NULL AS may_use;
RESET ROLE;
DROP ROLE regress_modelhop_reader;
