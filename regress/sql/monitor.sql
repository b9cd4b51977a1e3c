-- What is installed, whether it works, and what runs.
SELECT modelhop.version() ~ '^modelhop \d+\.\d+\.\d+ \(build \S+\); (no trainer runs|trainer PID \d+: .+, device \S+, \d+ slots?)$'
  AS is_version;
SELECT component, ok FROM modelhop.check_install();
SELECT component FROM modelhop.check_install() WHERE detail IS NULL OR detail = '';
SELECT modelhop.version() ~ 'trainer PID \d+: .+, 2 slots$' AS trainer_runs;
-- No run, no row.
SELECT * FROM modelhop.progress WHERE pid = pg_backend_pid();
SELECT count(*) FROM modelhop.trainer_progress() WHERE pid = pg_backend_pid();
-- Each column of the view is commented.
SELECT attname FROM pg_attribute
WHERE attrelid = 'modelhop.progress'::regclass AND attnum > 0 AND col_description(attrelid, attnum) IS NULL;
-- Everybody may look, whatever the search path.
CREATE ROLE regress_modelhop_viewer;
SET ROLE regress_modelhop_viewer;
SET search_path = '';
SELECT count(*) FROM modelhop.progress WHERE pid = pg_catalog.pg_backend_pid();
SELECT modelhop.version() IS NOT NULL AS is_told;
RESET search_path;
RESET ROLE;
DROP ROLE regress_modelhop_viewer;
-- In a read-only transaction too.
BEGIN READ ONLY;
SELECT count(*) FROM modelhop.check_install();
ROLLBACK;
