-- Packing by a worker: the same bytes whoever packs and whatever the source is; fill_table is INSERT in all it allows.
SET client_min_messages = warning;
CREATE TABLE plain AS SELECT i AS id, i % 3 AS y, decode(repeat(md5(i::text), 128), 'hex') AS x FROM generate_series(1, 900) i;
CREATE TABLE parts (LIKE plain) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (1) TO (400);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (400) TO (901);
INSERT INTO parts SELECT * FROM plain;
CREATE VIEW joined AS SELECT id, y, x FROM part_1 UNION ALL SELECT * FROM part_2;
CREATE TEMP TABLE temporary AS SELECT * FROM plain;
CREATE FUNCTION cautious(bytea) RETURNS bytea LANGUAGE plpgsql PARALLEL UNSAFE AS 'BEGIN RETURN $1; END';
CREATE VIEW unsafe AS SELECT id, y, cautious(x) AS x FROM plain;
CREATE FUNCTION packed_bytes(source text, seed bigint = 5) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  digest text;
BEGIN
  PERFORM modelhop.training_preprocessor_dl(source, 'packed', 'y', 'x', 100, num_segments => 1, seed => seed);
  SELECT md5(string_agg(buffer_id || ' ' || x_shape::text || md5(x) || md5(y), ' ')) INTO digest FROM packed;
  DROP TABLE packed, packed_summary;
  RETURN digest;
END $$;
SET max_parallel_workers_per_gather = 0;
SELECT packed_bytes('plain') AS alone, packed_bytes('plain', 6) AS other_seed \gset
RESET max_parallel_workers_per_gather;
SELECT :'alone' <> :'other_seed' AS shuffled;
SELECT s AS source, packed_bytes(s) = :'alone' AS same FROM unnest('{plain,parts,joined,temporary,unsafe}'::text[]) s;
SET max_parallel_workers = 0;
SELECT packed_bytes('plain') = :'alone' AS same_without_free_worker;
RESET max_parallel_workers;
-- A source and a snapshot of this transaction: the worker sees what we see.
BEGIN;
CREATE TABLE fresh AS SELECT * FROM plain WHERE id <= 450;
INSERT INTO fresh SELECT * FROM plain WHERE id > 450;
SELECT packed_bytes('fresh') = :'alone' AS same;
SAVEPOINT later;
SELECT packed_bytes('fresh', 6) = :'other_seed' AS same;
ROLLBACK TO later;
COMMIT;
-- A worker runs the query, sooner or later one is free; it never does where the user wants none.
CREATE FUNCTION process() RETURNS integer LANGUAGE plpgsql PARALLEL SAFE AS 'BEGIN RETURN pg_backend_pid(); END';
CREATE TABLE who (pid integer);
DO $$
BEGIN
  FOR try IN 1 .. 1000 LOOP
    PERFORM modelhop.fill_table('who', 'SELECT public.process() FROM generate_series(1, 3)');
    EXIT WHEN EXISTS (SELECT FROM who WHERE pid <> pg_backend_pid());
  END LOOP;
END $$;
SELECT bool_or(pid <> pg_backend_pid()) AS by_worker, count(*) % 3 AS left_over FROM who;
TRUNCATE who;
-- Packing is such a query: here the packed value says who packed it.
SELECT pg_backend_pid() AS me \gset
CREATE VIEW by_whom AS SELECT id, y, CASE process() WHEN :me THEN 0 ELSE 1 END AS x FROM plain;
DO $$
DECLARE
  packed_by_worker boolean;
BEGIN
  FOR try IN 1 .. 1000 LOOP
    PERFORM modelhop.training_preprocessor_dl('by_whom', 'packed', 'y', 'x', 900);
    SELECT bool_and(get_byte(x, 0) = 1) INTO packed_by_worker FROM packed;
    DROP TABLE packed, packed_summary;
    EXIT WHEN packed_by_worker;
  END LOOP;
  RAISE WARNING 'packed by a worker: %', packed_by_worker;
END $$;
SET max_parallel_workers_per_gather = 0;
SELECT modelhop.fill_table('who', 'SELECT public.process()');
RESET max_parallel_workers_per_gather;
SELECT bool_and(pid = pg_backend_pid()) AS by_ourselves FROM who;
-- What only the executor does is done.
CREATE TABLE watched (n integer CHECK (n < 3), doubled integer GENERATED ALWAYS AS (n * 2) STORED);
CREATE UNIQUE INDEX ON watched (n);
SELECT modelhop.fill_table('watched', 'SELECT generate_series(1, 2)');
SELECT * FROM watched;
SELECT modelhop.fill_table('watched', 'SELECT 3');
SELECT modelhop.fill_table('watched', 'SELECT 2');
SELECT modelhop.fill_table('parts', 'SELECT * FROM public.plain WHERE id = 400');
SELECT count(*) FROM part_2;
SELECT modelhop.fill_table('part_1', 'SELECT * FROM public.plain WHERE id = 400');
-- Statements that rules turn into nothing, or into one whose rows nobody sees.
CREATE TABLE ruled (i integer);
CREATE RULE nothing AS ON INSERT TO ruled DO INSTEAD NOTHING;
SELECT modelhop.fill_table('who', 'INSERT INTO public.ruled VALUES (1)');
DROP RULE nothing ON ruled;
CREATE RULE other AS ON INSERT TO ruled DO INSTEAD SELECT 1;
SELECT modelhop.fill_table('who', 'INSERT INTO public.ruled VALUES (1)');
-- Rows that the same statement has written are seen.
CREATE TABLE numbers (i integer);
CREATE FUNCTION add_row() RETURNS void LANGUAGE sql AS 'INSERT INTO numbers VALUES (1)';
SELECT (add_row() IS NULL) AS added, modelhop.fill_table('who', 'SELECT i FROM public.numbers');
CREATE ROLE regress_fill_guest;
GRANT USAGE ON SCHEMA modelhop TO regress_fill_guest;
SET ROLE regress_fill_guest;
SELECT modelhop.fill_table('public.who', 'SELECT 1');
RESET ROLE;
DROP OWNED BY regress_fill_guest;
DROP ROLE regress_fill_guest;
-- Rows that do not fit, statements that are no query, and errors of the worker.
SELECT modelhop.fill_table('who', 'SELECT i::text FROM generate_series(1, 3) i');
SELECT modelhop.fill_table('who', 'SELECT i, i FROM generate_series(1, 3) i');
SELECT modelhop.fill_table('who', 'DELETE FROM public.who');
\set VERBOSITY terse
SELECT modelhop.fill_table('who', 'SELECT 1 / (public.process() * 0) FROM generate_series(1, 3)');
SELECT modelhop.fill_table('who', 'SELECT 1 / (public.process() * 0 + (i < 500000)::integer) FROM generate_series(1, 500000) i');
BEGIN;
SET LOCAL statement_timeout = '100ms';
SELECT modelhop.fill_table('who', 'SELECT a FROM generate_series(1, 100000) a, generate_series(1, 100000) b');
ROLLBACK;
DO $$
BEGIN
  PERFORM modelhop.fill_table('who', 'SELECT 1 / (public.process() * 0) FROM generate_series(1, 3)');
EXCEPTION WHEN division_by_zero THEN
  PERFORM modelhop.fill_table('who', 'SELECT 1');
END $$;
SELECT count(*) FROM who;
