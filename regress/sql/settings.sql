-- Settings of the trainer as a whole come from the configuration file; a session can only lower its own share.
LOAD 'modelhop';
\set VERBOSITY sqlstate
SELECT name, unit, vartype, context, min_val FROM pg_settings WHERE name LIKE 'modelhop.%' ORDER BY name;
SELECT pg_size_bytes(current_setting('modelhop.memory_limit')) >= 256 * 1024 * 1024 AS has_memory;
SHOW modelhop.cache_memory;
SHOW modelhop.trainer_idle_timeout;
SHOW modelhop.device;
SET modelhop.memory_limit = '1GB';
SET modelhop.device = 'cpu';
SET modelhop.run_memory_limit = '512MB';
SHOW modelhop.run_memory_limit;
SET modelhop.run_memory_limit = '-1MB';
SET modelhop.run_slots = 1025;
SET modelhop.no_such_setting = 1;
ALTER SYSTEM SET modelhop.device = 'tpu';
ALTER SYSTEM SET modelhop.slots = 0;
RESET modelhop.run_memory_limit;
SHOW modelhop.run_memory_limit;
