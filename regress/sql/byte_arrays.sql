-- Arrays of numbers as bytes and back, and arrays joined.
SELECT modelhop.convert_bytea_to_real_array('\x0000803f00000040'), modelhop.convert_bytea_to_smallint_array('\x0100feff');
SELECT modelhop.convert_array_to_bytea(ARRAY[1, 2]::real[]), modelhop.convert_array_to_bytea(ARRAY[1, -2]::smallint[]);
SELECT modelhop.convert_array_to_bytea('{{1,2},{3,4}}'::smallint[]) AS last_dimension_first, modelhop.convert_array_to_bytea(ARRAY[1, 2]) AS of_integers;
SELECT modelhop.convert_bytea_to_real_array(''), modelhop.convert_array_to_bytea('{}'::real[]), modelhop.convert_bytea_to_smallint_array(NULL), modelhop.convert_array_to_bytea(NULL::real[]);
-- Bits stay, also of values that are no numbers; long, compressed and cut values.
SELECT modelhop.convert_array_to_bytea(modelhop.convert_bytea_to_real_array('\x0100c07f000080ff00000080')) = '\x0100c07f000080ff00000080' AS same;
CREATE TABLE long AS SELECT modelhop.convert_array_to_bytea(array_agg((i % 7)::real ORDER BY i)) AS bytes, array_agg((i % 7)::real ORDER BY i) AS numbers FROM generate_series(1, 100000) i;
SELECT octet_length(bytes), modelhop.convert_bytea_to_real_array(bytes) = numbers AS same, cardinality(modelhop.convert_bytea_to_real_array(substr(bytes, 5, 40))) FROM long;
SELECT modelhop.convert_array_to_bytea(('[5:7]={1,2,3}'::smallint[])[6:7]);
-- A packed table's own columns.
CREATE TABLE flower AS SELECT i AS id, ARRAY[i, -i / 2.0]::real[] AS x, i % 3 AS y FROM generate_series(1, 9) i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'y', 'x', num_segments => 1, seed => 1);
SELECT modelhop.convert_bytea_to_real_array(x) <@ (SELECT array_agg(v) FROM flower, unnest(x) v) AS numbers, cardinality(modelhop.convert_bytea_to_smallint_array(y)) FROM packed;
-- Joined in order, without NULL, along the first dimension.
CREATE TABLE part (i integer, r real[], s smallint[]);
INSERT INTO part VALUES (3, '{5}', '{{5,6}}'), (1, '{1,2}', '{{1,2},{3,4}}'), (2, NULL, NULL), (4, '{}', '{}');
SELECT modelhop.agg_array_concat(r ORDER BY i), modelhop.agg_array_concat(s ORDER BY i) FROM part;
SELECT pg_typeof(modelhop.agg_array_concat(r)), pg_typeof(modelhop.agg_array_concat(s)) FROM part;
SELECT modelhop.agg_array_concat(r) IS NULL AS of_nulls FROM part WHERE r IS NULL;
SELECT modelhop.agg_array_concat(r) IS NULL AS of_no_rows FROM part WHERE i > 9;
SELECT modelhop.agg_array_concat(r) AS of_an_empty_one FROM part WHERE i = 4;
SELECT i % 2 AS odd, modelhop.agg_array_concat(r ORDER BY i) FROM part GROUP BY 1 ORDER BY 1;
SELECT i, modelhop.agg_array_concat(r) OVER (ORDER BY i) FROM part;
SELECT cardinality(modelhop.agg_array_concat(numbers)), modelhop.agg_array_concat(numbers) = (SELECT numbers || numbers || numbers FROM long) AS same FROM long, generate_series(1, 3);
-- What cannot be converted.
\set VERBOSITY terse
SELECT modelhop.convert_bytea_to_real_array('\x00000000ff');
SELECT modelhop.convert_bytea_to_smallint_array('\xff');
SELECT modelhop.convert_array_to_bytea('{1,NULL}'::real[]);
SELECT modelhop.agg_array_concat(r) FROM (VALUES ('{1}'::real[]), ('{{1,2}}')) v(r);
SELECT modelhop.agg_array_concat(r) FROM (VALUES ('{{1}}'::real[]), ('{{1,2}}')) v(r);
SELECT modelhop.agg_array_concat(r) FROM (VALUES ('{1,NULL}'::smallint[])) v(r);
