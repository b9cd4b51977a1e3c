-- Every number of arguments, and every form, in which MADlib's functions can be called.
SET client_min_messages = error;
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 60) AS i;
\set json '{"class_name": "Sequential", "config": {"name": "small", "layers": [{"class_name": "Dense", "config": {"name": "d1", "units": 3, "activation": "softmax", "batch_input_shape": [null, 4]}}]}}'
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', num_segments => 1, seed => 1);
SELECT modelhop.validation_preprocessor_dl('flower', 'packed_val', 'class_text', 'attributes', 'packed');
SELECT modelhop.load_keras_model('arch', :'json');
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1], ARRAY[$$loss='categorical_crossentropy', optimizer='sgd', metrics=['accuracy']$$], ARRAY['batch_size=16']);
SELECT modelhop.fit_multiple_model('packed', 'models', 'mst', 1, seed => 1);
SELECT modelhop.fit('packed', 'model', 'arch', 1, $$loss='categorical_crossentropy', optimizer='sgd'$$, 'batch_size=16', 1, seed => 1);
SELECT modelhop.load_keras_model('trained', model_arch, model_weights) FROM model;
-- What a call says; what it made is undone.
CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT modelhop.' || call;
  RAISE EXCEPTION USING ERRCODE = 'P0042';
EXCEPTION WHEN SQLSTATE 'P0042' THEN
  RETURN 'ok';
WHEN OTHERS THEN
  RETURN sqlstate || ' ' || sqlerrm;
END $$;
-- A function with the first of its arguments, from `fewest` to all: positional calls.
CREATE FUNCTION forms(name text, fewest integer, VARIADIC arguments text[]) RETURNS TABLE (form text, outcomes text) LANGUAGE sql AS $$
  SELECT format('%s %s..%s', name, fewest, cardinality(arguments)),
         string_agg(DISTINCT outcome(format('%s(%s)', name, array_to_string(arguments[:n], ', '))), '; ')
  FROM generate_series(fewest, cardinality(arguments)) n
$$;
SELECT * FROM forms('load_keras_model', 2, $$'a'$$, quote_literal(:'json'), 'NULL', $$'name'$$, $$'description'$$);
SELECT * FROM forms('delete_keras_model', 2, $$'arch'$$, '1');
SELECT * FROM forms('training_preprocessor_dl', 4, $$'flower'$$, $$'out'$$, $$'class_text'$$, $$'attributes'$$, '10', '255', 'ARRAY[5]', $$'all_segments'$$);
SELECT * FROM forms('training_preprocessor_dl', 4, $$'flower'$$, $$'out'$$, $$'class_text'$$, $$'attributes'$$, 'NULL', 'NULL', 'NULL', 'NULL');
SELECT * FROM forms('validation_preprocessor_dl', 5, $$'flower'$$, $$'out'$$, $$'class_text'$$, $$'attributes'$$, $$'packed'$$, 'NULL', 'NULL');
SELECT * FROM forms('load_model_selection_table', 5, $$'arch'$$, $$'out'$$, 'ARRAY[1]', $c$ARRAY[$$loss='categorical_crossentropy', optimizer='sgd'$$]$c$, $$ARRAY['batch_size=8']$$, 'NULL');
SELECT * FROM forms('generate_model_configs', 5, $$'arch'$$, $$'out'$$, 'ARRAY[1]', $c$$${'loss': ['mse'], 'optimizer_params_list': [{'optimizer': ['sgd']}]}$$$c$, $c$$${'batch_size': [8, 16]}$$$c$, $$'grid'$$, 'NULL', 'NULL', 'NULL');
SELECT * FROM forms('generate_model_configs', 7, $$'arch'$$, $$'out'$$, 'ARRAY[1]', $c$$${'loss': ['mse'], 'optimizer_params_list': [{'optimizer': ['sgd']}]}$$$c$, $c$$${'batch_size': [8, 16]}$$$c$, $$'rand'$$, '1', '3', 'NULL');
SELECT * FROM forms('fit', 7, $$'packed'$$, $$'out'$$, $$'arch'$$, '1', $c$$$loss='categorical_crossentropy', optimizer='sgd'$$$c$, $$'batch_size=16'$$, '1', 'FALSE', $$'packed_val'$$, '1', 'FALSE', $$'name'$$, $$'description'$$, 'NULL');
SELECT * FROM forms('fit', 8, $$'packed'$$, $$'out'$$, $$'arch'$$, '1', $c$$$loss='categorical_crossentropy', optimizer='sgd'$$$c$, 'NULL', '1', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL');
SELECT * FROM forms('fit_multiple_model', 4, $$'packed'$$, $$'out'$$, $$'mst'$$, '1', 'FALSE', $$'packed_val'$$, '1', 'FALSE', $$'name'$$, $$'description'$$, 'TRUE');
SELECT * FROM forms('fit_multiple_model', 5, $$'packed'$$, $$'out'$$, $$'mst'$$, '1', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL', 'NULL');
SELECT * FROM forms('evaluate', 3, $$'model'$$, $$'packed_val'$$, $$'out'$$, 'NULL', 'NULL');
SELECT * FROM forms('evaluate', 5, $$'models'$$, $$'packed_val'$$, $$'out'$$, 'FALSE', '1');
SELECT * FROM forms('predict', 5, $$'model'$$, $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, $$'response'$$, 'FALSE', 'NULL');
SELECT * FROM forms('predict', 6, $$'model'$$, $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, 'NULL', 'NULL', 'NULL');
SELECT * FROM forms('predict', 6, $$'model'$$, $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, '2', 'NULL', 'NULL');
SELECT * FROM forms('predict', 6, $$'model'$$, $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, '0.5', 'NULL', 'NULL');
SELECT * FROM forms('predict', 8, $$'models'$$, $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, '0.0::double precision', 'FALSE', '1');
SELECT * FROM forms('predict_byom', 6, $$'trained'$$, '1', $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, $$'prob'$$, 'FALSE', $$ARRAY[ARRAY['a', 'b', 'c']]$$, '1.0', '1');
SELECT * FROM forms('predict_byom', 7, $$'trained'$$, '1', $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, 'NULL', 'NULL', 'NULL', 'NULL', 'NULL');
SELECT * FROM forms('predict_byom', 7, $$'trained'$$, '1', $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, '1', 'NULL', 'NULL', 'NULL', '1');
SELECT * FROM forms('predict_byom', 7, $$'trained'$$, '1', $$'flower'$$, $$'id'$$, $$'attributes'$$, $$'out'$$, '0.2', 'NULL', 'NULL', 'NULL', '1');
SELECT * FROM forms('gpu_configuration', 1, $$'out'$$, 'NULL');
-- By name, and partly so.
SELECT call, outcome(call) FROM unnest(ARRAY[
  $$load_keras_model(model_arch => (SELECT model_arch FROM arch), keras_model_arch_table => 'a', description => 'd', name => 'n', model_weights => NULL)$$,
  $$delete_keras_model(model_id => 1, keras_model_arch_table => 'arch')$$,
  $$training_preprocessor_dl('flower', 'out', 'class_text', 'attributes', num_classes => ARRAY[4], normalizing_const => 2)$$,
  $$validation_preprocessor_dl(source_table => 'flower', output_table => 'out', dependent_varname => 'class_text', independent_varname => 'attributes', training_preprocessor_table => 'packed')$$,
  $$fit_multiple_model('packed', 'out', model_selection_table => 'mst', num_iterations => 1, use_gpus => NULL, use_caching => FALSE)$$,
  $$evaluate(output_table => 'out', model_table => 'models', test_table => 'packed_val', mst_key => 1)$$,
  $$predict('models', 'flower', 'id', 'attributes', 'out', mst_key => 1)$$,
  $$predict('models', 'flower', 'id', 'attributes', 'out', pred_type => 'response', mst_key => 1)$$,
  $$predict('models', 'flower', 'id', 'attributes', 'out', pred_type => 1, mst_key => 1)$$,
  $$predict('models', 'flower', 'id', 'attributes', 'out', pred_type => 0.25, mst_key => 1)$$,
  $$predict(pred_type => NULL, use_gpus => NULL, mst_key => 1, model_table => 'models', test_table => 'flower', id_col => 'id', independent_varname => 'attributes', output_table => 'out')$$,
  $$predict_byom('trained', 1, 'flower', 'id', 'attributes', 'out', class_values => ARRAY['a', 'b', 'c'])$$,
  $$predict_byom('trained', 1, 'flower', 'id', 'attributes', 'out', pred_type => 2, normalizing_const => 1)$$,
  $$predict_byom('trained', 1, 'flower', 'id', 'attributes', 'out', dependent_count => 1, pred_type => 0.1)$$,
  $$gpu_configuration(output_table => 'out', source => 'nvidia')$$]) AS call;
-- A name that is missing, taken or not given: the same words everywhere.
SELECT call, outcome(call) FROM unnest(ARRAY[
  $$fit(NULL, 'out', 'arch', 1, 'x', 'y', 1)$$, $$fit('', 'out', 'arch', 1, 'x', 'y', 1)$$, $$fit('nothing', 'out', 'arch', 1, 'x', 'y', 1)$$,
  $$fit('packed', 'out', NULL, 1, 'x', 'y', 1)$$, $$fit('packed', 'out', 'nothing', 1, 'loss=''mse'', optimizer=''sgd''', 'batch_size=16', 1)$$,
  $$fit('packed', NULL, 'arch', 1, $c$loss='categorical_crossentropy', optimizer='sgd'$c$, 'batch_size=16', 1)$$,
  $$fit('packed', 'flower', 'arch', 1, $c$loss='categorical_crossentropy', optimizer='sgd'$c$, 'batch_size=16', 1)$$,
  $$fit_multiple_model('packed', 'out', '  ', 1)$$, $$fit_multiple_model('packed', 'out', 'mst', 1, validation_table => 'nothing')$$,
  $$evaluate('models', '', 'out', FALSE, 1)$$, $$evaluate('models', 'packed_val', '', FALSE, 1)$$, $$evaluate('', 'packed_val', 'out', FALSE, 1)$$,
  $$predict('models', NULL, 'id', 'attributes', 'out', mst_key => 1)$$, $$predict('models', 'flower', '', 'attributes', 'out', mst_key => 1)$$,
  $$training_preprocessor_dl('', 'out', 'class_text', 'attributes')$$, $$training_preprocessor_dl('flower', NULL, 'class_text', 'attributes')$$,
  $$training_preprocessor_dl('flower', 'Null', 'class_text', 'attributes')$$, $$training_preprocessor_dl('flower', '"null"', 'class_text', 'attributes')$$,
  $$predict('models', 'packed', 'buffer_id', 'attributes', 'out', mst_key => 1)$$, $$training_preprocessor_dl('flower', 'arch', 'class_text', 'attributes')$$, $$load_keras_model('', '{}')$$, $$delete_keras_model(NULL, 1)$$,
  $$generate_model_configs('arch', NULL, ARRAY[1], 'x', 'y')$$, $$leaderboard('')$$, $$leaderboard('nothing')$$]) AS call;
CREATE TABLE none AS TABLE flower WITH NO DATA;
CREATE TABLE packed_none AS TABLE packed WITH NO DATA;
CREATE TABLE packed_none_summary AS TABLE packed_summary;
CREATE TABLE mst_none AS TABLE mst WITH NO DATA;
CREATE TABLE mst_none_summary AS TABLE mst_summary;
SELECT call, outcome(call) FROM unnest(ARRAY[
  $$training_preprocessor_dl('none', 'out', 'class_text', 'attributes')$$, $$fit_multiple_model('packed_none', 'out', 'mst', 1)$$,
  $$fit_multiple_model('packed', 'out', 'mst_none', 1)$$]) AS call;
