-- Every text argument of every function that people call is given hostile strings, and valid tables and columns under
-- hostile names. Each call succeeds or ends with an error that is meant; nothing is left behind; no string is run.
SET client_min_messages = error;
CREATE EXTENSION modelhop_madlib;
\pset format unaligned
\t on

-- A statement that runs in spite of everything shows here: a sequence does not roll back.
CREATE SEQUENCE canary;
CREATE TABLE trap ();

-- What valid calls need. Weights of an architecture come from a trained one.
CREATE TABLE flower AS
SELECT i AS id, ARRAY[i % 3 + sin(i) / 4, i % 5]::real[] AS attributes, (ARRAY['a', 'b', 'c'])[i % 3 + 1] AS class,
       1::real AS weight
FROM generate_series(1, 24) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class', 'attributes', num_segments => 2, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class', 'attributes', 'packed');
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "softmax", "batch_input_shape": [null, 2]}}]}}$$);
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1],
  ARRAY[$$loss='categorical_crossentropy', optimizer='SGD(lr=0.01)', metrics=['accuracy']$$], ARRAY['batch_size=8']);
SELECT modelhop.fit_multiple_model('packed', 'model', 'mst', 1, seed => 1);
UPDATE arch SET model_weights = modelhop.model_weights('model', 1);
SELECT modelhop.load_custom_function('objects', 'y_pred - y_true'::text, 'my_loss');

-- A value for each argument that needs one. Kinds: table (that exists, with its companions), output (a new table),
-- column (of the source table), text.
CREATE TABLE valid (function text, argument text, kind text, value text);
INSERT INTO valid VALUES
  ('', 'source_table', 'table', 'packed'), ('', 'validation_table', 'table', 'packed_val'),
  ('training_preprocessor_dl', 'source_table', 'table', 'flower'),
  ('validation_preprocessor_dl', 'source_table', 'table', 'flower'),
  ('', 'output_table', 'output', 'new'), ('', 'model_output_table', 'output', 'new'), ('', 'model', 'output', 'new'),
  ('leaderboard', 'output_table', 'table', 'model'), ('unit_timeline', 'output_table', 'table', 'model'),
  ('plot_curves', 'output_table', 'table', 'model'), ('plot_timeline', 'output_table', 'table', 'model'),
  ('select_models', 'output_table', 'table', 'model'), ('select_models', 'model_selection_table', 'output', 'new'),
  ('', 'training_preprocessor_table', 'table', 'packed'), ('', 'model_table', 'table', 'model'),
  ('', 'test_table', 'table', 'packed_val'), ('predict', 'test_table', 'table', 'flower'),
  ('predict_byom', 'test_table', 'table', 'flower'), ('help', 'function_name', 'text', 'fit'),
  ('', 'keras_model_arch_table', 'table', 'arch'), ('', 'model_arch_table', 'table', 'arch'),
  ('', 'model_selection_table', 'table', 'mst'),
  ('generate_model_configs', 'model_selection_table', 'output', 'new'), ('plan', 'model_output_table', 'text', 'new'),
  ('load_model_selection_table', 'model_selection_table', 'output', 'new'),
  ('', 'dependent_varname', 'column', 'class'), ('', 'independent_varname', 'column', 'attributes'),
  ('', 'sample_weight_varname', 'column', 'weight'), ('', 'id_col', 'column', 'id'),
  ('', 'model_arch', 'text', (SELECT model_arch FROM arch)), ('', 'model_id', 'number', '1'),
  ('evaluate', 'mst_key', 'number', '1'), ('predict', 'mst_key', 'number', '1'),
  ('model_weights', 'mst_key', 'number', '1'), ('model_safetensors', 'mst_key', 'number', '1'),
  ('', 'model_id_list', 'number', '{1}'), ('', 'mst_keys', 'number', '{1}'), ('', 'num_iterations', 'number', '1'),
  ('', 'compile_params', 'text', $$loss='categorical_crossentropy', optimizer='SGD(lr=0.01)'$$),
  ('', 'fit_params', 'text', 'batch_size=8'),
  ('', 'compile_params_list', 'text', $${"loss='categorical_crossentropy', optimizer='SGD(lr=0.01)'"}$$),
  ('', 'fit_params_list', 'text', '{batch_size=8}'),
  ('', 'compile_params_grid', 'text', $${'loss': ['categorical_crossentropy'], 'optimizer_params_list': [{'optimizer': ['SGD'], 'lr': [0.02]}]}$$),
  ('', 'fit_params_grid', 'text', $${'batch_size': [8]}$$),
  ('automl', 'model_selection_table', 'output', 'new_mst'), ('automl', 'automl_params', 'text', 'R=3, eta=3, skip_last=1'),
  ('train_test_split', 'source_table', 'table', 'flower'), ('train_test_split', 'train_proportion', 'number', '0.5'),
  ('', 'schedule_table', 'output', 'new'), ('', 'r', 'number', '3'), ('', 'message', 'text', 'usage'),
  ('', 'object_table', 'table', 'objects'), ('load_custom_function', 'object_table', 'output', 'new'),
  ('load_top_k_accuracy_function', 'object_table', 'output', 'new'), ('', 'k', 'number', '2'),
  ('', 'object', 'text', 'y_pred'), ('', 'object bytea', 'text', '\x795f70726564'),
  ('load_custom_function', 'name', 'text', 'f'), ('delete_custom_function', 'name', 'text', 'my_loss'),
  ('', 'id', 'number', '1'),
  ('', 'pred_type', 'text', 'prob'), ('', 'pred_type integer', 'number', '2'),
  ('', 'pred_type double precision', 'number', '0.1');

-- Functions that people call: not those that these call with what they have resolved. Under MADlib's names too.
CREATE VIEW surface AS
SELECT p.oid, regexp_replace(p.proname, '^madlib_keras_', '') AS name, p.proargnames[i]::text AS argument, t.type::regtype AS type,
       i <= p.pronargs - p.pronargdefaults AS is_required
FROM pg_proc p, unnest(p.proargtypes) WITH ORDINALITY AS t(type, i)
WHERE p.prokind = 'f' AND (p.pronamespace = 'madlib'::regnamespace AND p.proname NOT IN ('let_everybody_read', 'array_square')
  OR (p.pronamespace = 'modelhop'::regnamespace
      AND (p.proname IN (SELECT function_name FROM modelhop.help_function) OR p.proname = 'help')));

CREATE FUNCTION valid_value(name text, an_argument text, type regtype DEFAULT 'text') RETURNS valid LANGUAGE sql STABLE AS $$
  SELECT v FROM valid v WHERE v.argument IN (an_argument, concat(an_argument, ' ', type)) AND v.function IN (name, '')
  ORDER BY v.function DESC, v.argument DESC LIMIT 1
$$;

-- The call of a function with valid values, but for these arguments.
CREATE FUNCTION call_of(a_function oid, others jsonb) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT format('SELECT * FROM %s(%s)', a_function::regproc::text, string_agg(
    format('%I => %L::%s', s.argument, CASE WHEN others ? s.argument THEN others ->> s.argument ELSE v.value END, s.type), ', '))
  FROM surface s, valid_value(s.name, s.argument, s.type) v
  WHERE s.oid = a_function AND (s.is_required OR others ? s.argument OR v.function = s.name)
$$;

CREATE TABLE known (id oid);
INSERT INTO known SELECT oid FROM pg_class;

-- SQLSTATE and message of a call that is undone; 00000 and the new tables where it succeeds.
CREATE FUNCTION outcome(call text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  state text;
  message text;
BEGIN
  EXECUTE call;
  SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.relname) INTO message FROM pg_class c
  WHERE c.relkind = 'r' AND c.relnamespace <> 'pg_toast'::regnamespace AND c.oid NOT IN (SELECT id FROM known);
  RAISE EXCEPTION USING ERRCODE = 'MHOK0', MESSAGE = coalesce(message, '');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
  RETURN ARRAY[CASE state WHEN 'MHOK0' THEN '00000' ELSE state END, message];
END $$;

-- With valid values alone each function succeeds: else its refusals below would show nothing.
SELECT s.call, o.state FROM (SELECT DISTINCT oid, oid::regprocedure AS call FROM surface) s, outcome(call_of(s.oid, '{}')) AS o(state)
WHERE state[1] <> '00000';

CREATE TABLE hostile (string text);
INSERT INTO hostile VALUES
  (NULL), (''), (' '), ('no_such_thing'), (repeat('x', 64)), ('a.b.c.d'), ('.'), ('"'), ('""'), ('"open'), ('UPPER Case'),
  ('ünïcödé 表'), ('x; SELECT nextval(''canary'')'), ($$'; SELECT nextval('canary'); --$$), ($$' || nextval('canary') || '$$),
  ($$"); SELECT nextval('canary'); --$$), ($$flower"; DROP TABLE trap; --$$), ($$(SELECT nextval('canary'))$$),
  ($$flower, nextval('canary')$$), ('$$ $1 %s %I %L %n \x00 \'), (E'line\nbreak\ttab'), ('{'), ('[]'), ('-1'), ('1e999'),
  (repeat('(', 20000)), (repeat('a', 1000000)), ('pg_catalog.pg_class'), ('pg_temp.new'), ('information_schema.tables'),
  (chr(65535)), ('NaN'), ('modelhop');

CREATE FUNCTION as_argument(string text, type regtype) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN type IN ('json'::regtype, 'jsonb'::regtype) THEN to_jsonb(to_jsonb(string)::text)
              WHEN type::text LIKE '%[]' THEN to_jsonb(ARRAY[string]::text) ELSE to_jsonb(string) END
$$;

CREATE TABLE result AS
SELECT s.name, s.argument, s.type, h.string, o.outcome[1] AS state, o.outcome[2] AS message
FROM surface s, hostile h,
  outcome(call_of(s.oid, jsonb_build_object(s.argument, as_argument(h.string, s.type)))) AS o(outcome)
WHERE s.type::text ~ '^(text|character varying|json|jsonb)(\[\])?$';

-- How many there are, and those that are not as they must be: an internal error, a syntax error of a statement of ours,
-- a message that does not say which argument is meant (PostgreSQL's own of a malformed array or json apart).
SELECT count(*) > 9000 AS are_many, count(DISTINCT (name, argument)) > 130 AS are_all FROM result;
SELECT DISTINCT name, argument, state, left(message, 100), left(string, 40) FROM result
WHERE state ~ '^(XX|42601|57|58|53|38|P0001)' ORDER BY 1, 2, 3;
SELECT DISTINCT name, argument, state, left(message, 100), left(string, 40) FROM result
WHERE state NOT IN ('00000', '22P02') AND message !~ '(argument |compile_params|fit_params|architecture|layer )' ORDER BY 1, 2, 3;

-- What stayed: nothing.
SELECT is_called FROM canary;
SELECT count(*) FROM trap;
SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
  AND c.relname NOT IN ('trap', 'flower', 'packed', 'packed_summary', 'packed_val', 'packed_val_summary', 'arch', 'mst',
    'mst_summary', 'model', 'model_info', 'model_summary', 'objects', 'valid', 'known', 'hostile', 'result');
SELECT count(*) FROM modelhop.progress;

-- Valid tables, new tables and columns under hostile names.
CREATE SCHEMA "Sch'e.ma; ""x"" 表";
CREATE TABLE name_part (part text);
INSERT INTO name_part VALUES ('UPPER Case'), ($$with "quotes" and 'more'$$), ('a.b'), ('x; SELECT nextval(''canary''); --'),
  ('%s %I $1 $$'), ('ünïcödé 表'), ('select');
CREATE VIEW hostile_name AS
SELECT part, quote_ident(part) AS name, NULL AS schema FROM name_part
UNION ALL SELECT part, quote_ident($$Sch'e.ma; "x" 表$$) || '.' || quote_ident(part), $$Sch'e.ma; "x" 表$$ FROM name_part;

-- A table and what stands beside it, copied under another name; a source table's columns renamed.
CREATE FUNCTION copy_table(relation text, schema text, part text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  suffix text;
BEGIN
  FOREACH suffix IN ARRAY ARRAY['', '_summary', '_info'] LOOP
    CONTINUE WHEN to_regclass(quote_ident(relation || suffix)) IS NULL;
    EXECUTE format('CREATE TABLE %s%I AS TABLE %I', quote_ident(schema) || '.', left(part || suffix, 63), relation || suffix);
  END LOOP;
END $$;
CREATE FUNCTION copy_column(relation text, attribute text, part text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %I ADD COLUMN %I %s', relation, part,
    (SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = relation::regclass AND attname = attribute));
  EXECUTE format('UPDATE %I SET %I = %I', relation, part, attribute);
END $$;
CREATE FUNCTION named_outcome(name text, a_function oid, argument text, v valid, part text, full_name text, schema text)
RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  result text[];
BEGIN
  IF v.kind = 'table' THEN
    PERFORM copy_table(v.value, coalesce(schema, 'public'), part);
  ELSIF v.kind = 'column' THEN
    PERFORM copy_column((valid_value(name, CASE WHEN name IN ('predict', 'predict_byom') THEN 'test_table' ELSE 'source_table' END)).value,
                        v.value, part);
  END IF;
  result := outcome(call_of(a_function, jsonb_build_object(argument, full_name)));
  IF v.kind = 'output' AND result[2] NOT LIKE '%' || full_name || '%' THEN
    result[1] := 'another name: ' || result[1];
  END IF;
  RAISE EXCEPTION USING ERRCODE = 'MHOK0', MESSAGE = result::text;
EXCEPTION WHEN SQLSTATE 'MHOK0' THEN
  RETURN SQLERRM::text[];
END $$;
CREATE TABLE named_result AS
SELECT s.name, s.argument, v.kind, h.name AS given, o.outcome[1] AS state, o.outcome[2] AS message
FROM surface s, valid_value(s.name, s.argument) v, hostile_name h,
  named_outcome(s.name, s.oid, s.argument, v, h.part, h.name, h.schema) AS o(outcome)
WHERE v.kind IN ('table', 'output') OR (v.kind = 'column' AND h.schema IS NULL);
SELECT count(*) > 2000 AS are_many FROM named_result;
SELECT DISTINCT name, argument, kind, given, state, left(message, 150) FROM named_result WHERE state <> '00000' ORDER BY 1, 2, 4;
SELECT is_called FROM canary;
