-- Configurations from a grid and by chance.
\set VERBOSITY sqlstate
CREATE SCHEMA regress_grid;
SET search_path = regress_grid, public;
\set dense '{"class_name":"Sequential","config":{"name":"s","layers":[{"class_name":"Dense","config":{"name":"d","units":2,"activation":"softmax","use_bias":true,"batch_input_shape":[null,3]}}]},"keras_version":"2.10.0","backend":"tensorflow"}'
SELECT modelhop.load_keras_model('arch', :'dense'), modelhop.load_keras_model('arch', :'dense');
\set compile '{''loss'': [''categorical_crossentropy''], ''optimizer_params_list'': [{''optimizer'': [''Adam'', ''SGD''], ''lr'': [0.1, 0.01, 0.001]}], ''metrics'': [''accuracy'']}'
\set fit '{''batch_size'': [8, 32], ''epochs'': [1]}'
SELECT modelhop.generate_model_configs('arch', 'mst', ARRAY[2, 1], :'compile', :'fit');
SELECT count(*), count(DISTINCT (model_id, compile_params, fit_params)), min(mst_key), max(mst_key) FROM mst;
SELECT * FROM mst WHERE mst_key <= 2 ORDER BY mst_key;
SELECT * FROM mst_summary;
-- The same grid adds nothing; a larger one adds what is new and counts on.
SELECT modelhop.generate_model_configs('arch', 'mst', ARRAY[1], :'compile', :'fit', 'g');
SELECT modelhop.generate_model_configs('arch', 'mst', ARRAY[1], :'compile', '{''batch_size'': [64], ''epochs'': [1]}');
SELECT count(*), max(mst_key) FROM mst;
-- A lost summary is made anew; another table of architectures is refused.
DROP TABLE mst_summary;
SELECT modelhop.generate_model_configs('arch', 'mst', ARRAY[1], :'compile', '{''batch_size'': [128]}');
SELECT * FROM mst_summary;
CREATE TABLE arch2 AS SELECT * FROM arch;
SELECT modelhop.generate_model_configs('arch2', 'mst', ARRAY[1], :'compile', '{''batch_size'': [256]}');
SELECT modelhop.generate_model_configs('regress_grid.arch', 'mst', ARRAY[1], :'compile', '{''batch_size'': [256]}');
-- Random search: so many, all different, the same for the same state (0 is a state like any other).
\set ranges '{''loss'': [''mse''], ''optimizer_params_list'': [{''optimizer'': [''SGD''], ''lr'': [0.001, 0.1, ''log''], ''momentum'': [0.5, 0.99, ''log_near_one'']}], ''metrics'': [''accuracy'']}'
SELECT modelhop.generate_model_configs('arch', 'r1', ARRAY[1, 2], :'ranges', :'fit', 'random', 5, 0);
SELECT modelhop.generate_model_configs('arch', 'r2', ARRAY[1, 2], :'ranges', :'fit', 'rand', 5, 0);
SELECT modelhop.generate_model_configs('arch', 'r3', ARRAY[1, 2], :'ranges', :'fit', 'random', 5, 1);
SELECT count(*), count(DISTINCT compile_params) FROM r1;
SELECT (SELECT array_agg(r1 ORDER BY mst_key)::text FROM r1) = (SELECT array_agg(r2 ORDER BY mst_key)::text FROM r2) AS same,
  (SELECT array_agg(r1 ORDER BY mst_key)::text FROM r1) <> (SELECT array_agg(r3 ORDER BY mst_key)::text FROM r3) AS differs;
-- More than there are: what there is, with a warning.
SELECT modelhop.generate_model_configs('arch', 'few', ARRAY[1], :'compile', '{''batch_size'': [8]}', 'random', 50, 3);
SELECT count(*) FROM few;
-- Names.
SELECT modelhop.generate_model_configs('arch', 'regress_grid."special-char?"', ARRAY[1], :'compile', :'fit');
SELECT modelhop.generate_model_configs('arch', '"special-char?"', ARRAY[2], :'compile', :'fit');
SELECT count(*) FROM "special-char?";
SELECT modelhop.generate_model_configs('arch', 'pg_temp.mst', ARRAY[1], :'compile', :'fit');
SELECT count(*) FROM pg_temp.mst;
DROP TABLE pg_temp.mst, pg_temp.mst_summary;
-- Refusals; nothing is left behind.
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', 'grid', 5);
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', 'grid', NULL, 5);
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', 'random');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', 'random', 0);
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', 'annealing');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', '');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', NULL);
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'ranges', :'fit');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], 'no dictionary', :'fit');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', '{''batch_size'': 8}');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', '{''batches'': [8]}');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', NULL);
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], NULL, :'fit');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[9], :'compile', :'fit');
SELECT modelhop.generate_model_configs('arch', 'bad', NULL, :'compile', :'fit');
SELECT modelhop.generate_model_configs('arch', 'bad', ARRAY[1], :'compile', :'fit', object_table => 'objects');
SELECT modelhop.generate_model_configs('no_such_table', 'bad', ARRAY[1], :'compile', :'fit');
SELECT modelhop.generate_model_configs('arch', NULL, ARRAY[1], :'compile', :'fit');
SELECT modelhop.generate_model_configs('arch', 'arch', ARRAY[1], :'compile', :'fit');
SELECT to_regclass('bad'), to_regclass('bad_summary');
SET client_min_messages = error;
DROP SCHEMA regress_grid CASCADE;
