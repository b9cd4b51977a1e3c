-- Which GPUs there are. A machine for tests may have some, so that the rows are only looked at for their form.
SELECT modelhop.gpu_configuration('seen');
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) AS columns
FROM pg_attribute WHERE attrelid = 'seen'::regclass AND attnum > 0;
SELECT count(*) FILTER (WHERE hostname <> 'localhost' OR gpu_descr !~ '^device: \d+') AS odd FROM seen;
-- The trainer sees some exactly where it computes on one.
SELECT (SELECT count(*) > 0 FROM seen) = (modelhop.version() ~ 'device cuda') AS as_the_trainer;
CREATE SCHEMA "Own";
SELECT modelhop.gpu_configuration('"Own"."GPUs of it"', 'NVIDIA');
SELECT count(*) FILTER (WHERE hostname <> 'localhost' OR gpu_descr !~ '^GPU \d+: .* \(UUID: .*\)$') AS odd FROM "Own"."GPUs of it";
SELECT modelhop.gpu_configuration('also', NULL);
SELECT count(*) AS other FROM (TABLE seen EXCEPT ALL TABLE also) d;
SELECT modelhop.gpu_configuration('pg_temp.mine', 'TensorFlow');
SELECT modelhop.gpu_configuration() ~ 'GPU' AS help;
\set VERBOSITY terse
SELECT modelhop.gpu_configuration('seen');
SELECT modelhop.gpu_configuration(NULL);
SELECT modelhop.gpu_configuration('other', 'amd');
SELECT modelhop.gpu_configuration('other', '');
SELECT to_regclass('other') IS NULL AS nothing_left;
