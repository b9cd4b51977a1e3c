CREATE FUNCTION modelhop.version() RETURNS text
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'modelhop_version';
COMMENT ON FUNCTION modelhop.version() IS
'Version and build of modelhop, and what trainer runs. Starts nothing.';

CREATE FUNCTION modelhop.check_install(OUT component text, OUT ok boolean, OUT detail text) RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_check_install';
COMMENT ON FUNCTION modelhop.check_install() IS
'Tries each part of the installation, the trainer included, which it starts: one row per part, with what to do where it does not work.';

CREATE FUNCTION modelhop.trainer_progress(
  OUT pid integer, OUT datid oid, OUT usesysid oid, OUT output_table text, OUT purpose text,
  OUT started timestamp with time zone, OUT units_done bigint, OUT units_total bigint, OUT configurations integer,
  OUT iterations integer, OUT running integer, OUT examples bigint, OUT memory_used bigint) RETURNS SETOF record
LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED ROWS 4
AS 'MODULE_PATHNAME', 'modelhop_trainer_progress';
COMMENT ON FUNCTION modelhop.trainer_progress() IS
'The rows of view progress, with oids in place of names. Starts no trainer.';

CREATE VIEW modelhop.progress AS
SELECT p.pid,
       d.datname::text AS datname,
       pg_catalog.pg_get_userbyid(p.usesysid)::text AS usename,
       p.output_table,
       p.purpose,
       p.started,
       p.units_done,
       p.units_total,
       CASE WHEN p.units_total OPERATOR(pg_catalog.>) 0
         THEN pg_catalog.round(100.0 OPERATOR(pg_catalog.*) p.units_done OPERATOR(pg_catalog./) p.units_total, 1)
       END AS percent,
       p.configurations,
       p.iterations,
       p.running,
       p.examples,
       p.memory_used
FROM modelhop.trainer_progress() AS p
LEFT JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) p.datid;
GRANT SELECT ON modelhop.progress TO PUBLIC;
COMMENT ON VIEW modelhop.progress IS
'Runs that are going on now, also of open transactions: those of the current role and of the roles it belongs to; all of them for superusers and members of pg_read_all_stats. Reading it starts no trainer.';
COMMENT ON COLUMN modelhop.progress.pid IS 'Process of the session that runs it.';
COMMENT ON COLUMN modelhop.progress.datname IS 'Database of that session.';
COMMENT ON COLUMN modelhop.progress.usename IS 'Role that runs it.';
COMMENT ON COLUMN modelhop.progress.output_table IS 'Table that the run will write.';
COMMENT ON COLUMN modelhop.progress.purpose IS 'Function that was called.';
COMMENT ON COLUMN modelhop.progress.started IS 'When the run began.';
COMMENT ON COLUMN modelhop.progress.units_done IS 'Units that have ended.';
COMMENT ON COLUMN modelhop.progress.units_total IS 'Units that the run expects to have.';
COMMENT ON COLUMN modelhop.progress.percent IS 'Share of the units that have ended, in percent.';
COMMENT ON COLUMN modelhop.progress.configurations IS 'Configurations of the run.';
COMMENT ON COLUMN modelhop.progress.iterations IS 'Iterations of the run.';
COMMENT ON COLUMN modelhop.progress.running IS 'Units that are in slots now.';
COMMENT ON COLUMN modelhop.progress.examples IS 'Examples that configurations were trained on so far.';
COMMENT ON COLUMN modelhop.progress.memory_used IS 'Bytes that the run takes in the trainer.';
