-- What the preprocessors refuse, before anything is written.
\set VERBOSITY sqlstate
CREATE SCHEMA regress_bad;
SET search_path = regress_bad, public;
CREATE TABLE good AS SELECT ARRAY[i, 2 * i]::float8[] AS x, ARRAY[i]::integer[] AS z, i % 2 AS y, i * 0.5 AS price, 'text'::text AS note,
  ARRAY['a', 'b'] AS words, '{}'::json AS document, i::float8 AS buffer_id FROM generate_series(1, 6) i;
CREATE FUNCTION pack(source text, x text DEFAULT 'x', y text DEFAULT 'y') RETURNS void LANGUAGE sql
AS $$ SELECT modelhop.training_preprocessor_dl(source, 'packed', y, x, num_segments => 1, seed => 1) $$;
-- The text of one refusal: it names the column, the row and what is wrong.
CREATE TABLE with_null AS SELECT CASE i WHEN 3 THEN NULL ELSE ARRAY[i, 1]::real[] END AS x, i % 2 AS y FROM generate_series(1, 4) i;
\set VERBOSITY terse
SELECT pack('with_null');
\set VERBOSITY sqlstate
CREATE TABLE null_inside AS SELECT ARRAY[i, CASE i WHEN 3 THEN NULL ELSE 1 END]::integer[] AS x, i % 2 AS y FROM generate_series(1, 4) i;
SELECT pack('null_inside');
CREATE TABLE with_nan AS SELECT ARRAY[i, CASE i WHEN 3 THEN 'NaN'::float8 ELSE 1 END] AS x, i % 2 AS y FROM generate_series(1, 4) i;
\set VERBOSITY terse
SELECT pack('with_nan');
\set VERBOSITY sqlstate
CREATE TABLE infinite AS SELECT ARRAY[i, 'Infinity']::float8[] AS x, i % 2 AS y FROM generate_series(1, 4) i;
SELECT pack('infinite');
CREATE TABLE huge AS SELECT ARRAY[i, 1e300]::float8[] AS x, i % 2 AS y FROM generate_series(1, 4) i;
SELECT pack('huge');
CREATE TABLE numeric_nan AS SELECT ARRAY[i, 'NaN']::numeric[] AS x, i % 2 AS y FROM generate_series(1, 4) i;
SELECT pack('numeric_nan');
CREATE TABLE ragged AS SELECT array_fill(1, ARRAY[1 + i / 4]) AS x, i % 2 AS y FROM generate_series(1, 4) i;
\set VERBOSITY terse
SELECT pack('ragged');
\set VERBOSITY sqlstate
CREATE TABLE reshaped AS SELECT array_fill(1, CASE i WHEN 4 THEN ARRAY[2, 3] ELSE ARRAY[3, 2] END) AS x, i % 2 AS y FROM generate_series(1, 4) i;
SELECT pack('reshaped');
CREATE TABLE ragged_bytes AS SELECT repeat('a', 5 + i / 4)::bytea AS x, i % 2 AS y FROM generate_series(1, 4) i;
SELECT pack('ragged_bytes');
CREATE TABLE no_elements AS SELECT '{}'::real[] AS x, i % 2 AS y FROM generate_series(1, 4) i;
SELECT pack('no_elements');
CREATE TABLE no_rows (x real[], y integer);
SELECT pack('no_rows');
CREATE TABLE one_class AS SELECT ARRAY[1, 2] AS x, 7 AS y FROM generate_series(1, 4) i;
SELECT pack('one_class');
CREATE TABLE nan_label AS SELECT ARRAY[1, 2] AS x, CASE i WHEN 1 THEN 'NaN'::float8 ELSE i END AS y FROM generate_series(1, 4) i;
SELECT pack('nan_label');
CREATE TABLE null_target AS SELECT ARRAY[1, 2] AS x, CASE i WHEN 1 THEN NULL ELSE i END::float8 AS y FROM generate_series(1, 4) i;
SELECT modelhop.training_preprocessor_dl('null_target', 'packed', 'y', 'x', dependent_encoding => 'float');
CREATE TABLE wide_target AS SELECT ARRAY[1, 2] AS x, ARRAY[i, 70000] AS y FROM generate_series(1, 4) i;
SELECT pack('wide_target');
-- Types that hold no numbers, or no classes.
SELECT pack('good', 'note');
SELECT pack('good', 'words');
SELECT pack('good', 'x', 'words');
SELECT pack('good', 'x', 'document');
-- Tables and columns that are not there, NULL, names used twice.
SELECT pack('no_such_table');
SELECT pack(NULL);
SELECT pack('');
SELECT pack('good', 'no_such_column');
SELECT pack('good', 'x', 'no_such_column');
SELECT pack('good', NULL);
SELECT pack('good', 'x,,z');
SELECT pack('good', 'y');
SELECT pack('good', 'buffer_id');
CREATE TABLE long_name AS SELECT ARRAY[1] AS xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, i AS y FROM generate_series(1, 4) i;
SELECT pack('long_name', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
CREATE INDEX an_index ON good (y);
SELECT pack('an_index');
-- Arguments out of range.
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', 0);
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', normalizing_const => 0);
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', normalizing_const => 'NaN');
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', num_classes => ARRAY[1]);
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', num_classes => ARRAY[2, 2]);
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', num_classes => ARRAY[40000]);
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', num_segments => 0);
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', dependent_encoding => 'embedding');
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'x', 'z', dependent_encoding => 'class_id');
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', independent_shape => '{3,2}');
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x', independent_shape => '{-2,-1}');
SELECT modelhop.training_preprocessor_dl('good', 'packed', 'y', 'x,z', independent_shape => '{2}');
-- Output tables.
SELECT to_regclass('packed'), to_regclass('packed_summary');
CREATE TABLE packed ();
SELECT pack('good');
DROP TABLE packed;
CREATE TABLE packed_summary ();
SELECT pack('good');
DROP TABLE packed_summary;
SELECT modelhop.training_preprocessor_dl('good', NULL, 'y', 'x');
SELECT modelhop.training_preprocessor_dl('good', 'no_such_schema.packed', 'y', 'x');
BEGIN READ ONLY;
SELECT pack('good');
ROLLBACK;
CREATE ROLE regress_modelhop_packer;
GRANT USAGE, CREATE ON SCHEMA regress_bad TO regress_modelhop_packer;
SET ROLE regress_modelhop_packer;
SELECT pack('good');
RESET ROLE;
REVOKE CREATE ON SCHEMA regress_bad FROM regress_modelhop_packer;
GRANT SELECT ON good TO regress_modelhop_packer;
SET ROLE regress_modelhop_packer;
SELECT pack('good');
RESET ROLE;
-- Validation tables that do not go with their training table.
SELECT modelhop.training_preprocessor_dl('good', 'train', 'y', 'x', num_segments => 1, seed => 1);
CREATE TABLE other_class AS SELECT x, y + 1 AS y FROM good;
\set VERBOSITY terse
SELECT modelhop.validation_preprocessor_dl('other_class', 'val', 'y', 'x', 'train');
\set VERBOSITY sqlstate
CREATE TABLE null_class AS SELECT x, NULL::integer AS y FROM good;
SELECT modelhop.validation_preprocessor_dl('null_class', 'val', 'y', 'x', 'train');
CREATE TABLE other_type AS SELECT x, y::text AS y FROM good;
SELECT modelhop.validation_preprocessor_dl('other_type', 'val', 'y', 'x', 'train');
CREATE TABLE other_shape AS SELECT ARRAY[1, 2, 3] AS x, y FROM good;
SELECT modelhop.validation_preprocessor_dl('other_shape', 'val', 'y', 'x', 'train');
CREATE TABLE other_hot AS SELECT x, ARRAY[1, 0, 0] AS y FROM good;
SELECT modelhop.validation_preprocessor_dl('other_hot', 'val', 'y', 'x', 'train');
SELECT modelhop.validation_preprocessor_dl('good', 'val', 'y', 'x', 'good');
SELECT modelhop.validation_preprocessor_dl('good', 'val', 'y', 'x', 'no_such_table');
SELECT modelhop.validation_preprocessor_dl('good', 'val', 'y', 'x', NULL);
SELECT modelhop.validation_preprocessor_dl('good', 'val', 'y', 'x,z', 'train');
SELECT modelhop.validation_preprocessor_dl('good', 'train', 'y', 'x', 'train');
SELECT modelhop.validation_preprocessor_dl('good', 'val', 'y', 'x', 'train', -1);
SELECT modelhop.validation_preprocessor_dl('good', 'val', 'y', 'x', 'train', num_segments => -1);
SELECT to_regclass('val'), to_regclass('val_summary');
-- Our own functions are open to everybody, with any argument.
SELECT modelhop.existing_table(NULL, 'good'), modelhop.find_table(NULL, NULL);
SELECT modelhop.find_table('a', NULL), modelhop.free_output_table('a', 'b', NULL);
SELECT modelhop.existing_table('a', 'good', NULL);
SELECT modelhop.column_names(NULL, 'x');
SELECT modelhop.draw_configurations(NULL, '{}', '{}', 1, 1);
SELECT modelhop.draw_configurations(array_fill(NULL::integer, ARRAY[100000]), '{}', '{}', 1, 1);
SELECT modelhop.draw_configurations(ARRAY[1], NULL, NULL, NULL, NULL);
SELECT modelhop.inspect_examples(note, NULL, NULL) FROM good;
SELECT modelhop.inspect_examples(NULL::real[], NULL, NULL);
SELECT modelhop.pack_examples(x, NULL, NULL, NULL) FROM good;
SELECT modelhop.pack_examples(x, 'uint8', 1, -5) FROM good;
SELECT modelhop.pack_one_hot(NULL, NULL), modelhop.pack_one_hot(3, 2);
SELECT modelhop.pack_one_hot(1, 2147483647);
SELECT modelhop.draw_curves('t', 'm', '{a}', '{NULL}', '{0}', '{1}', '{1}');
SELECT modelhop.draw_curves('t', 'm', '{a}', '{2}', '{0}', '{1}', '{1}');
SELECT modelhop.canonical_params(NULL), modelhop.flat_weights(NULL, NULL);
SET client_min_messages = error;
DROP SCHEMA regress_bad CASCADE;
DROP ROLE regress_modelhop_packer;
