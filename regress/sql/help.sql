-- Help at the prompt.
\set SHOW_CONTEXT never
SELECT modelhop.delete_keras_model();
SELECT modelhop.delete_keras_model('usage');
SELECT modelhop.hyperband_schedule('EXAMPLE ');
SELECT modelhop.predict() = modelhop.help('predict') AS same, modelhop.predict('?') = modelhop.help('modelhop.predict', 'Usage') AS same,
       modelhop.predict('help') = modelhop.predict('usage') AS same, modelhop.predict('') = modelhop.predict() AS same, modelhop.predict(NULL) = modelhop.predict() AS same;
-- Another name, as a wrapper of another schema has; its own signature counts where it exists.
SELECT modelhop.help('delete_keras_model', 'usage', 'madlib.delete_it');
SELECT modelhop.help('delete_keras_model', '', 'madlib.delete_it');
SELECT modelhop.help('delete_keras_model', 'example', '"My \1 schema".delete_it');
CREATE FUNCTION delete_it(keras_model_arch_table varchar, model_id bigint) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION delete_it() RETURNS text LANGUAGE sql AS $$ SELECT '' $$;
CREATE FUNCTION delete_it(message varchar) RETURNS text LANGUAGE sql AS $$ SELECT modelhop.help('delete_keras_model', message, 'public.delete_it') $$;
SELECT delete_it('usage');
SELECT delete_it('');
-- Several forms of one function.
SELECT count(*) FROM regexp_matches(modelhop.predict('usage'), 'modelhop\.predict\(', 'g');
SELECT modelhop.predict('usage') ~ 'pred_type double precision \| integer \| varchar, default ''prob''' AS types_and_default;
-- MADlib's names are understood.
SELECT modelhop.help('madlib.madlib_keras_fit', 'usage') = modelhop.help('fit', 'usage') AS same, modelhop.help('madlib_keras_automl') = modelhop.help('automl') AS same,
       modelhop.help('MADlib.load_keras_model', 'example') = modelhop.help('load_keras_model', 'example') AS same;
-- What is not there.
SELECT modelhop.help('no_function');
SELECT modelhop.load_keras_model('arch');
SELECT modelhop.help('fit', 'everything');
-- The list: each function exists, each part has text, each function answers itself.
SELECT function_name AS not_there FROM modelhop.help_function f WHERE NOT EXISTS (SELECT FROM modelhop.help_calls(f.function_name, 'modelhop.' || f.function_name)) ORDER BY 1;
SELECT count(*) FROM regexp_matches(modelhop.help(), '^  \w+: \S', 'gn') HAVING count(*) <> (SELECT count(*) FROM modelhop.help_function);
SELECT function_name AS first_line_is_no_sentence FROM modelhop.help_function WHERE split_part(purpose, E'\n', 1) !~ '^\w.*[.]$';
SELECT function_name, part FROM modelhop.help_function, unnest('{"",usage,example}'::text[]) part
WHERE length(coalesce(modelhop.help(function_name, part), '')) < 20;
CREATE FUNCTION answer(name text, arguments text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  text text;
BEGIN
  EXECUTE format('SELECT modelhop.%I(%s)', name, arguments) INTO text;
  RETURN text;
END $$;
SELECT function_name, arguments FROM modelhop.help_function, unnest(ARRAY['', $$'usage'$$, $$'example'$$]) arguments
WHERE has_overloads AND NOT (function_name = 'gpu_configuration' AND arguments <> '')
  AND answer(function_name, arguments) IS DISTINCT FROM modelhop.help(function_name, btrim(arguments, ''''));
-- Each argument is described in 'usage', under its name; no words are left over from an argument that is gone.
SELECT f.function_name, p.name FROM modelhop.help_function f, modelhop.help_calls(f.function_name, 'modelhop.' || f.function_name) c, modelhop.help_parameters(c) p
WHERE modelhop.help(f.function_name, 'usage') !~ format('\n  %s [^\n]*\n      \S', p.name);
SELECT a.function_name, a.argument FROM modelhop.help_argument a
WHERE a.function_name <> '' AND EXISTS (SELECT FROM modelhop.help_calls(a.function_name, 'modelhop.' || a.function_name))
  AND NOT EXISTS (SELECT FROM modelhop.help_calls(a.function_name, 'modelhop.' || a.function_name) c, modelhop.help_parameters(c) p WHERE p.name = a.argument);
SELECT a.argument FROM modelhop.help_argument a WHERE a.function_name <> '' AND NOT EXISTS (SELECT FROM modelhop.help_function f WHERE f.function_name = a.function_name);
-- Each example runs as it stands.
SET client_min_messages = error;
CREATE FUNCTION outcome(script text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE script;
  RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN SQLSTATE 'P0042' THEN
  RETURN 'runs';
WHEN OTHERS THEN
  RETURN sqlerrm;
END $$;
SELECT outcome('SELECT 1; SELECT nothing');
SELECT function_name, outcome FROM modelhop.help_function f, outcome(modelhop.help(function_name, 'example'))
WHERE EXISTS (SELECT FROM modelhop.help_calls(f.function_name, 'modelhop.' || f.function_name)) AND outcome <> 'runs';
-- Everybody may ask.
CREATE ROLE regress_modelhop_asker;
SET ROLE regress_modelhop_asker;
SELECT modelhop.fit('usage') ~ 'num_iterations' AS may_ask;
RESET ROLE;
DROP ROLE regress_modelhop_asker;
