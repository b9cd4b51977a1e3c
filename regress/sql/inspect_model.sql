-- Architectures looked at before they are trained, weights in and out, and the generation of Keras that is meant.
SET client_min_messages = warning;
SELECT $${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 3, "activation": "softmax", "trainable": false}}]}, "keras_version": "2.10.0", "backend": "tensorflow"}$$ AS small \gset
SELECT * FROM modelhop.validate_model(:'small');
SELECT name, keras_semantics FROM modelhop.validate_model(:'small', 'k3');
SELECT modelhop.load_keras_model('arch', :'small'::json, NULL, 'small');
SELECT * FROM modelhop.describe_model('arch', 1);
SELECT modelhop.load_keras_model('arch', :'small'::json, NULL, 'as keras 3', keras_semantics => 'k3');
SELECT layer, class_name, keras_semantics FROM modelhop.describe_model('arch', 2);
SELECT model_id, keras_semantics FROM arch ORDER BY 1;
-- Only what is needed is read: weights may be large.
CREATE VIEW heavy AS SELECT model_id, model_arch, 1 / (model_id - 1) AS model_weights FROM arch;
SELECT layer, class_name FROM modelhop.describe_model('heavy', 1);
-- The trained weights come out flat or as a safetensors file, and both go in again.
CREATE TABLE flower AS
SELECT i AS id, ARRAY[(i % 3) + sin(i) / 4, (i % 3) * 0.5 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
       ('{daisy,rose,tulip}'::text[])[i % 3 + 1] AS class_text
FROM generate_series(1, 120) AS i;
SELECT modelhop.training_preprocessor_dl('flower', 'packed', 'class_text', 'attributes', num_segments => 2, seed => 1);
SELECT $$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$$ AS compile \gset
SELECT modelhop.fit('packed', 'model', 'arch', 1, :'compile', 'batch_size=16', 2, seed => 1);
SELECT modelhop.model_weights('model') = model_weights AS same, octet_length(modelhop.model_weights('model')) AS bytes FROM model;
SELECT octet_length(f) > 83 * 4 AS has_header, substr(f, octet_length(f) - 83 * 4 + 1) = modelhop.model_weights('model') AS ends_with_weights,
  position('"0000/d1/kernel":{"data_offsets":[0,160],"dtype":"F32","shape":[4,10]}'::bytea IN f) > 0 AS names_arrays
FROM modelhop.model_safetensors('model') f;
SELECT modelhop.load_keras_model('arch', :'small'::json, modelhop.model_weights('model'), 'flat'),
  modelhop.load_keras_model('arch', :'small'::json, modelhop.model_safetensors('model'), 'safetensors');
SELECT a.model_weights = modelhop.model_weights('model') AS same FROM arch a WHERE model_id > 2 ORDER BY model_id;
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1, 2], ARRAY[:'compile'], ARRAY['batch_size=16']);
SELECT modelhop.fit_multiple_model('packed', 'out', 'mst', 1, seed => 1);
SELECT mst_key, keras_semantics, modelhop.model_weights('out', mst_key) = model_weights AS same FROM out ORDER BY 1;
SELECT modelhop.evaluate('out', 'packed', 'score', mst_key => 2);
-- Wrong values are refused by name, and nothing is written.
\set VERBOSITY terse
SELECT modelhop.load_keras_model('arch', :'small'::json, keras_semantics => 'k4');
SELECT modelhop.load_keras_model('arch', :'small'::json, '\x0102');
SELECT modelhop.load_keras_model('arch', :'small'::json, set_byte(modelhop.model_safetensors('model'), 9, 0));
SELECT modelhop.load_keras_model('arch', replace(:'small', '"units": 10', '"units": 11')::json, modelhop.model_safetensors('model'));
SELECT count(*) FROM arch;
SELECT * FROM modelhop.validate_model('{"class_name": "Sequential", "config": {"layers": [{"class_name": "Conv9D", "config": {"name": "c"}}]}}');
SELECT * FROM modelhop.validate_model('no json');
SELECT * FROM modelhop.validate_model(NULL);
SELECT * FROM modelhop.validate_model(:'small', 'new');
SELECT * FROM modelhop.describe_model('arch', 99);
SELECT * FROM modelhop.describe_model('arch', NULL);
SELECT * FROM modelhop.describe_model('flower', 1);
SELECT modelhop.model_weights('flower');
SELECT modelhop.model_weights('out');
SELECT modelhop.model_safetensors('out', 99);
-- A table that others made, without the column.
CREATE TABLE old AS SELECT model_id, model_arch, model_weights, name, description, __internal_madlib_id__ FROM arch WHERE model_id = 1;
SELECT modelhop.load_keras_model('old', :'small'::json);
SELECT count(*) FROM old;
SELECT modelhop.load_keras_model('old', :'small'::json, keras_semantics => 'k3');
SELECT modelhop.fit('packed', 'of_old', 'old', 1, :'compile', 'batch_size=16', 1, seed => 1);
SELECT keras_semantics IS NULL AS by_the_file FROM of_old;
