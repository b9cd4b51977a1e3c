-- Tables of architectures.
\set VERBOSITY sqlstate
CREATE SCHEMA regress_arch;
SET search_path = regress_arch, public;
\set dense '{"class_name":"Sequential","config":{"name":"s","layers":[{"class_name":"Dense","config":{"name":"d","units":2,"activation":"softmax","use_bias":true,"batch_input_shape":[null,3]}}]},"keras_version":"2.10.0","backend":"tensorflow"}'
SELECT modelhop.load_keras_model('arch', :'dense');
SELECT modelhop.load_keras_model('arch', :'dense', NULL, 'second');
SELECT modelhop.load_keras_model('arch', :'dense', decode(repeat('00', 32), 'hex'), 'third', 'with weights');
SELECT modelhop.load_keras_model(keras_model_arch_table => 'arch', model_arch => :'dense', description => 'fourth');
SELECT model_id, model_arch ->> 'class_name' AS class_name, octet_length(model_weights) AS bytes, name, description FROM arch ORDER BY model_id;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'arch'::regclass AND attnum > 0 ORDER BY attnum;
SELECT count(DISTINCT __internal_madlib_id__) FROM arch;
INSERT INTO arch (model_id) VALUES (2);
-- Weights of another length than the architecture's.
SELECT modelhop.load_keras_model('arch', :'dense', 'dummy weights');
-- What cannot be trained may be stored, with a warning and whatever weights.
SELECT modelhop.load_keras_model('arch', '{"a": 1}', 'dummy weights');
-- Ids go on after the highest; the last row takes the table with it.
SELECT modelhop.delete_keras_model('arch', 5);
SELECT modelhop.delete_keras_model('arch', 2);
SELECT modelhop.load_keras_model('arch', :'dense');
SELECT array_agg(model_id ORDER BY model_id) FROM arch;
SELECT modelhop.delete_keras_model('arch', 1), modelhop.delete_keras_model('arch', 3), modelhop.delete_keras_model('arch', 4);
SELECT count(*) FROM arch;
SELECT modelhop.delete_keras_model('arch', 5);
SELECT to_regclass('arch');
-- Names: quoted, with schema, temporary; a rolled-back transaction leaves nothing.
SELECT modelhop.load_keras_model('regress_arch."special-char?"', :'dense');
SELECT modelhop.load_keras_model('"special-char?"', :'dense');
SELECT count(*) FROM "special-char?";
SELECT modelhop.load_keras_model('pg_temp.arch', :'dense');
SELECT model_id FROM pg_temp.arch;
SELECT modelhop.delete_keras_model('pg_temp.arch', 1);
BEGIN;
SELECT modelhop.load_keras_model('gone', :'dense');
ROLLBACK;
SELECT to_regclass('gone');
-- Refusals.
SELECT modelhop.load_keras_model('arch', NULL);
SELECT modelhop.load_keras_model(NULL, :'dense');
SELECT modelhop.load_keras_model('', :'dense');
SELECT modelhop.load_keras_model('a.b.c.d', :'dense');
SELECT modelhop.load_keras_model('no_such_schema.arch', :'dense');
SELECT modelhop.load_keras_model('arch', '{"a": ');
CREATE TABLE wrong (model_id integer);
SELECT modelhop.load_keras_model('wrong', :'dense');
SELECT modelhop.delete_keras_model('wrong', 1);
SELECT modelhop.delete_keras_model('no_such_table', 1);
SELECT modelhop.delete_keras_model('"special-char?"', 99);
SELECT modelhop.delete_keras_model('"special-char?"', NULL);
SELECT modelhop.delete_keras_model(NULL, 1);
BEGIN READ ONLY;
SELECT modelhop.load_keras_model('arch', :'dense');
ROLLBACK;
CREATE ROLE regress_modelhop_architect;
GRANT USAGE ON SCHEMA regress_arch TO regress_modelhop_architect;
SET ROLE regress_modelhop_architect;
SELECT modelhop.load_keras_model('arch', :'dense');
SELECT modelhop.load_keras_model('"special-char?"', :'dense');
SELECT modelhop.delete_keras_model('"special-char?"', 1);
RESET ROLE;
SET client_min_messages = error;
DROP SCHEMA regress_arch CASCADE;
DROP ROLE regress_modelhop_architect;
