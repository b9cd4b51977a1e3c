-- The extension of MADlib's names: where it goes, that it goes again, and that wrappers know the caller's tables alone.
\set VERBOSITY sqlstate
SET client_min_messages = warning;
CREATE EXTENSION modelhop_madlib;
SELECT madlib.version() ~ '^modelhop \d+\.\d+\.\d+, .*MADlib 2' AS version_is_told;
-- Every object is in the schema, and has a comment.
SELECT count(*) > 40 AS has_members, count(*) FILTER (WHERE obj_description(d.objid, d.classid::regclass::name) IS NULL) AS without_comment,
  count(*) FILTER (WHERE i.schema IS DISTINCT FROM 'madlib' AND i.type <> 'schema') AS elsewhere
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid, pg_identify_object(d.classid, d.objid, 0) i
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'modelhop_madlib';
-- Names, arguments and defaults are MADlib's.
\pset format unaligned
\pset tuples_only on
SELECT p.proname || '(' || regexp_replace(replace(pg_get_function_arguments(p.oid), 'character varying', 'varchar'), '::[a-z ]+(\[\])?', '', 'g') || ') ' || pg_get_function_result(p.oid)
FROM pg_proc p WHERE p.pronamespace = 'madlib'::regnamespace ORDER BY p.proname COLLATE "C", p.pronargs, pg_get_function_arguments(p.oid) COLLATE "C";
\pset tuples_only off
\pset format aligned
-- Functions tell about themselves, by the names that they have here.
SELECT madlib.madlib_keras_fit() <> '' AS tells, madlib.madlib_keras_fit('usage') ~ 'madlib\.madlib_keras_fit' AS by_its_name, madlib.load_keras_model('?') = madlib.load_keras_model('help') AS same_help,
  madlib.gpu_configuration() <> '' AS without_arguments, madlib.madlib_keras_predict_byom('usage') ~ 'dependent_count' AS has_arguments;
SELECT bool_and(pg_get_function_result(oid) = 'character varying') AS as_text FROM pg_proc WHERE pronamespace = 'madlib'::regnamespace AND pronargs = 0 AND proname <> 'version';
-- Everything runs with the caller's rights.
SELECT count(*) FROM pg_proc WHERE pronamespace = 'madlib'::regnamespace AND prosecdef;
-- Functions that run on the caller's path have no words that look for an operator there.
SELECT p.oid::regprocedure AS looks_on_the_path FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace IN ('madlib'::regnamespace, 'modelhop'::regnamespace) AND l.lanname IN ('sql', 'plpgsql') AND p.proconfig IS NULL
  AND p.prosrc ~* '\m(nullif|distinct from|between|like|in|case \w+ when)\M' AND p.prosrc !~ 'modelhop\.help\(';
-- It takes its schema with it; what others made there stays, and so the extension.
CREATE TABLE madlib.mine (i integer);
DROP EXTENSION modelhop_madlib;
DROP TABLE madlib.mine;
DROP EXTENSION modelhop_madlib;
SELECT to_regnamespace('madlib') IS NULL AS is_gone;
-- A schema of that name that is somebody else's is left alone, another one may be named.
CREATE SCHEMA madlib;
\set VERBOSITY default
CREATE EXTENSION modelhop_madlib;
\set VERBOSITY sqlstate
CREATE SCHEMA "Other Place";
CREATE EXTENSION modelhop_madlib SCHEMA "Other Place";
SELECT "Other Place".version() IS NOT NULL AS works, (SELECT count(*) FROM pg_proc WHERE pronamespace = 'madlib'::regnamespace) AS in_madlib;
DROP EXTENSION modelhop_madlib;
SELECT to_regnamespace('"Other Place"') IS NOT NULL AS stays;
CREATE EXTENSION modelhop_madlib SCHEMA madlib;
DROP EXTENSION modelhop_madlib;
CREATE FUNCTION madlib.madlib_keras_fit() RETURNS void LANGUAGE sql AS 'SELECT';
CREATE EXTENSION modelhop_madlib SCHEMA madlib;
DROP SCHEMA madlib CASCADE;
-- Tables are the caller's by the caller's search path; functions, operators and types of others are not called.
CREATE SCHEMA trap;
CREATE FUNCTION trap.caught() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'caught'; END $$;
CREATE FUNCTION trap.concat(VARIADIC text[]) RETURNS text LANGUAGE sql AS 'SELECT trap.caught()::text';
CREATE FUNCTION trap.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT trap.caught()::text';
CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS 'SELECT trap.caught()::text';
CREATE FUNCTION trap.equals(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT trap.caught()';
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.equals);
-- Arguments are of type varchar, for which these fit better than those of PostgreSQL, wherever the schema stands in the path.
CREATE FUNCTION trap.compares(pg_catalog.varchar, pg_catalog.varchar) RETURNS pg_catalog.bool LANGUAGE sql AS 'SELECT trap.caught()';
CREATE OPERATOR trap.= (LEFTARG = pg_catalog.varchar, RIGHTARG = pg_catalog.varchar, FUNCTION = trap.compares);
CREATE OPERATOR trap.<> (LEFTARG = pg_catalog.varchar, RIGHTARG = pg_catalog.varchar, FUNCTION = trap.compares);
CREATE OPERATOR trap.|| (LEFTARG = pg_catalog.varchar, RIGHTARG = pg_catalog.varchar, FUNCTION = trap.compares);
-- Not boolean and varchar: as words of SQL's grammar they are PostgreSQL's own in any path.
CREATE DOMAIN trap.text AS pg_catalog.text CHECK (trap.caught());
CREATE DOMAIN trap.bool AS pg_catalog.bool CHECK (trap.caught());
CREATE DOMAIN trap.bytea AS pg_catalog.bytea CHECK (trap.caught());
CREATE DOMAIN trap.json AS pg_catalog.json CHECK (trap.caught());
CREATE DOMAIN trap.jsonb AS pg_catalog.jsonb CHECK (trap.caught());
CREATE DOMAIN trap.regclass AS pg_catalog.regclass CHECK (trap.caught());
CREATE SCHEMA own;
SET search_path = trap, pg_catalog, own;
CREATE EXTENSION modelhop_madlib SCHEMA public;
RESET search_path;
SELECT extnamespace::regnamespace, to_regprocedure('madlib.version()') FROM pg_extension WHERE extname = 'modelhop_madlib';
SELECT obj_description('pg_catalog.version()'::regprocedure, 'pg_proc');
SET search_path = own, trap, pg_catalog;
CREATE TABLE flower AS SELECT i AS id, ARRAY[i, -i]::real[] AS x, i % 2 AS y FROM generate_series(1, 20) i;
CREATE TABLE public.flower AS SELECT 1 AS wrong;
SELECT madlib.load_keras_model('arch', '{"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax", "batch_input_shape": [null, 2]}}]}}');
SELECT madlib.training_preprocessor_dl('flower', 'packed', 'y', 'x');
SELECT madlib.madlib_keras_fit('packed', 'model', 'arch', 1, $$loss='categorical_crossentropy', optimizer='sgd'$$, NULL, 1);
SELECT madlib.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[$$loss='mse', optimizer='sgd'$$], ARRAY['batch_size=4']);
SELECT madlib.madlib_keras_fit_multiple_model('packed', 'models', 'mst', 1, NULL, use_caching => true);
SELECT madlib.madlib_keras_evaluate('models', 'packed', 'score', NULL, 1);
SELECT madlib.madlib_keras_predict(model_table => 'model', test_table => 'flower', id_col => 'id', independent_varname => 'x', output_table => 'guess', pred_type => 0.1);
SELECT madlib.train_test_split('flower', 'part', 0.75, separate_output_tables => true);
SELECT madlib.array_square(ARRAY[1.5, -2]::real[]), madlib.agg_array_concat(x) FROM flower WHERE id < 3;
SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = 'own'::regnamespace AND relkind = 'r';
SELECT madlib.load_custom_function('own.functions', 'def f(y_true, y_pred): return K.square(y_pred - y_true)', 'f'), madlib.load_top_k_accuracy_function('own.functions', 2);
SELECT madlib.generate_model_configs('arch', 'grid', ARRAY[1], $${'loss': ['f'], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [0.1]}]}$$, $${'batch_size': [4]}$$, 'grid', NULL, NULL, 'functions');
SELECT madlib.generate_model_configs('arch', 'grid', ARRAY[1], $${'loss': ['f'], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [0.2]}]}$$, $${'batch_size': [4]}$$, object_table => 'functions');
SELECT madlib.validation_preprocessor_dl('flower', 'packed_val', 'y', 'x', 'packed', 5, 'all_segments');
SELECT madlib.madlib_keras_automl('packed', 'found', 'arch', 'found_mst', ARRAY[1], $${'loss': ['f'], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [0.1, 0.2, 'log']}]}$$, $${'batch_size': [4]}$$, 'hyperband', 'R=2, eta=2, skip_last=1', 1, 'functions', FALSE, 'packed_val');
UPDATE arch SET model_weights = (SELECT model_weights FROM model);
SELECT madlib.madlib_keras_predict_byom('arch', 1, 'flower', 'id', 'x', 'guess_byom', 'response', FALSE, ARRAY['a', 'b']);
SELECT madlib.hyperband_schedule('schedule', 3), madlib.gpu_configuration('gpus', 'nvidia'), madlib.delete_custom_function('functions', 'f'), madlib.delete_keras_model('arch', 1);
SELECT modelhop.select_models('found', 'chosen', ARRAY[1]), modelhop.plot_curves('models', 'loss') <> '' AS has_curves, modelhop.plot_timeline('models') <> '' AS has_timeline;
SELECT madlib.madlib_keras_fit('usage') IS NOT NULL AS has_help, madlib.gpu_configuration() IS NOT NULL AS has_help;
RESET search_path;
-- A role without rights on the tables gets none.
CREATE ROLE regress_modelhop_caller;
GRANT USAGE ON SCHEMA own TO regress_modelhop_caller;
SET ROLE regress_modelhop_caller;
SELECT madlib.version() IS NOT NULL AS may_use;
SELECT madlib.madlib_keras_predict('own.model', 'own.flower', 'id', 'x', 'own.others', 'prob');
RESET ROLE;
-- Tables of functions are made in the schema of the names, where everybody may read them, and are found there; names of the caller's own come first.
SELECT madlib.load_custom_function('functions', convert_to('def squared(y_true, y_pred): return K.square(y_pred - y_true)', 'UTF8'), 'squared', 'a square');
REVOKE SELECT ON madlib.functions FROM PUBLIC;
SELECT madlib.load_top_k_accuracy_function('functions', 2);
SELECT has_table_privilege('regress_modelhop_caller', 'madlib.functions', 'SELECT') AS readable_against_the_owner;
GRANT SELECT ON madlib.functions TO PUBLIC;
SELECT id, name, description FROM madlib.functions ORDER BY id;
SELECT madlib.load_keras_model('public.fn_arch', '{"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax", "batch_input_shape": [null, 2]}}]}}');
CREATE TABLE fn_flower AS SELECT i AS id, ARRAY[i, -i]::real[] AS x, i % 2 AS y FROM generate_series(1, 20) i;
SELECT madlib.training_preprocessor_dl('fn_flower', 'fn_packed', 'y', 'x');
SELECT madlib.load_model_selection_table('fn_arch', 'fn_mst', ARRAY[1], ARRAY[$$loss='squared', optimizer='sgd', metrics=['top_2_accuracy']$$], ARRAY['batch_size=4'], 'functions');
SELECT * FROM fn_mst_summary;
SELECT madlib.madlib_keras_fit_multiple_model('fn_packed', 'fn_models', 'fn_mst', 1, FALSE);
SELECT loss_type, metrics_type, training_metrics_final FROM fn_models_info;
SELECT madlib.madlib_keras_fit('fn_packed', 'fn_model', 'fn_arch', 1, $$loss='squared', optimizer='sgd'$$, 'batch_size=4', 1, object_table => 'functions');
SELECT loss_type, object_table FROM fn_model_summary;
GRANT CREATE ON SCHEMA public TO regress_modelhop_caller;
SET ROLE regress_modelhop_caller;
SELECT madlib.load_custom_function('my_functions', convert_to('def mine(y_true, y_pred): return K.abs(y_pred - y_true)', 'UTF8'), 'mine');
SELECT to_regclass('public.my_functions'), to_regclass('madlib.my_functions'), (SELECT count(*) FROM madlib.functions) AS readable;
SELECT madlib.load_custom_function('functions', convert_to('def mine(y_true, y_pred): return K.abs(y_pred - y_true)', 'UTF8'), 'mine');
SELECT madlib.load_custom_function('functions; DROP TABLE fn_arch', convert_to('def mine(y_true, y_pred): return K.abs(y_pred - y_true)', 'UTF8'), 'mine');
RESET ROLE;
SELECT madlib.load_custom_function('functions', '\x80049500', 'pickled');
SELECT madlib.delete_custom_function('functions', 'squared');
SELECT madlib.delete_custom_function('functions', 2);
SELECT to_regclass('madlib.functions') IS NULL AS is_gone;
SELECT madlib.delete_custom_function('functions', 1);
DROP TABLE my_functions;
REVOKE CREATE ON SCHEMA public FROM regress_modelhop_caller;
-- Rows dealt by chance: exact numbers, no row lost or doubled, each group by itself, the same after setseed().
CREATE TABLE many AS SELECT i AS id, i % 3 AS "a group", ARRAY[i, i] AS x FROM generate_series(1, 150) i;
SELECT setseed(0.5);
SELECT madlib.train_test_split('many', 'deal', 0.8, NULL, NULL, NULL, FALSE, TRUE);
SELECT (SELECT count(*) FROM deal_train) AS train, (SELECT count(*) FROM deal_test) AS test, count(DISTINCT id) AS distinct_ids, sum(id) = 150 * 151 / 2 AS all_of_them,
  (SELECT count(*) FROM deal_train WHERE id <= 120) < 120 AS shuffled FROM (SELECT * FROM deal_train UNION ALL SELECT * FROM deal_test) u;
SELECT setseed(0.5);
SELECT madlib.train_test_split('many', 'again', 0.8, NULL, NULL, '*', FALSE, TRUE);
SELECT (SELECT array_agg(id ORDER BY id) FROM again_train) = (SELECT array_agg(id ORDER BY id) FROM deal_train) AS same;
SELECT madlib.train_test_split('many', 'grouped', 0.5, 0.1, '"a group"', 'x');
SELECT "a group", split, count(*), count(DISTINCT x) FROM grouped GROUP BY 1, 2 ORDER BY 1, 2;
SELECT madlib.train_test_split('many', 'repeated', 0.9, 0.9, target_cols => 'id', with_replacement => true);
SELECT split, count(*), count(DISTINCT id) < 135 AS has_doubles FROM repeated GROUP BY 1 ORDER BY 1;
SELECT madlib.train_test_split('many', 'bad', 1.0);
SELECT madlib.train_test_split('many', 'bad', 0.6, 0.6);
SELECT madlib.train_test_split('many', 'bad', 0.6, 0);
SELECT madlib.train_test_split('many', 'bad', 0.6, NULL, 'no_column');
SELECT madlib.train_test_split('many', 'bad', 0.6, NULL, NULL, 'no_column');
SELECT madlib.train_test_split('no_table', 'bad', 0.6);
SELECT madlib.train_test_split('many', 'grouped', 0.6);
SELECT madlib.train_test_split(NULL, 'bad', 0.6), madlib.train_test_split('many', NULL, 0.6);
DROP SCHEMA trap, own CASCADE;
DROP ROLE regress_modelhop_caller;
