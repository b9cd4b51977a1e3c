-- Records curves.csv: the validation losses of a whole grid, 168 configurations x 27 iterations, in one run.
-- From the top of the checkout:  tools/server psql < test/selection/data/record_curves.sql > test/selection/data/curves.csv
-- 2,000 training and 1,000 test images of the Fashion-MNIST that ships with the project. The grid was fixed before anything was
-- recorded: rates over four decades and more for each optimizer, so that both ends are bad and some diverge.
\set ON_ERROR_STOP on
\set QUIET on
\pset format csv
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS search_curves CASCADE;
CREATE SCHEMA search_curves;
SET search_path = search_curves, public;

CREATE TABLE train (id integer PRIMARY KEY, class_name text NOT NULL, image bytea NOT NULL);
CREATE TABLE test (LIKE train INCLUDING ALL);
\copy train FROM PROGRAM 'gzip -dc data/fashion_mnist/train.csv.gz' CSV HEADER
\copy test FROM PROGRAM 'gzip -dc data/fashion_mnist/test.csv.gz' CSV HEADER
DELETE FROM train WHERE id NOT IN (SELECT id FROM train ORDER BY id LIMIT 2000);
DELETE FROM test WHERE id NOT IN (SELECT id FROM test ORDER BY id LIMIT 1000);
SELECT modelhop.training_preprocessor_dl('train', 'train_packed', 'class_name', 'image',
    normalizing_const => 255, num_segments => 2, seed => 1, independent_shape => ARRAY[28, 28, 1]) \g /dev/null
SELECT modelhop.validation_preprocessor_dl('test', 'test_packed', 'class_name', 'image', 'train_packed') \g /dev/null

SELECT modelhop.load_keras_model('architecture', $${"class_name": "Sequential", "keras_version": "2.12.0", "config": {"name": "one_layer", "layers": [
    {"class_name": "Flatten", "config": {"name": "flatten", "batch_input_shape": [null, 28, 28, 1]}},
    {"class_name": "Dense", "config": {"name": "hidden", "units": 64, "activation": "relu"}},
    {"class_name": "Dense", "config": {"name": "output", "units": 10, "activation": "softmax"}}]}}$$, NULL, 'one layer') \g /dev/null
SELECT modelhop.load_keras_model('architecture', $${"class_name": "Sequential", "keras_version": "2.12.0", "config": {"name": "two_layers", "layers": [
    {"class_name": "Flatten", "config": {"name": "flatten", "batch_input_shape": [null, 28, 28, 1]}},
    {"class_name": "Dense", "config": {"name": "hidden", "units": 48, "activation": "tanh"}},
    {"class_name": "Dropout", "config": {"name": "dropout", "rate": 0.3}},
    {"class_name": "Dense", "config": {"name": "hidden_2", "units": 24, "activation": "tanh"}},
    {"class_name": "Dense", "config": {"name": "output", "units": 10, "activation": "softmax"}}]}}$$, NULL, 'two layers') \g /dev/null
SELECT modelhop.load_keras_model('architecture', $${"class_name": "Sequential", "keras_version": "2.12.0", "config": {"name": "convolution", "layers": [
    {"class_name": "Conv2D", "config": {"name": "conv", "filters": 8, "kernel_size": [3, 3], "strides": [2, 2], "activation": "relu", "batch_input_shape": [null, 28, 28, 1]}},
    {"class_name": "Flatten", "config": {"name": "flatten"}},
    {"class_name": "Dense", "config": {"name": "output", "units": 10, "activation": "softmax"}}]}}$$, NULL, 'convolution') \g /dev/null

SELECT modelhop.generate_model_configs('architecture', 'configuration', ARRAY[1, 2, 3],
    $${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'], 'optimizer_params_list': [
         {'optimizer': ['Adam', 'RMSprop'], 'lr': [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1]},
         {'optimizer': ['SGD'], 'lr': [1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 1.0, 10.0], 'momentum': [0.0, 0.9]}]}$$,
    $${'batch_size': [32, 128], 'epochs': [1]}$$) \g /dev/null

SELECT modelhop.fit_multiple_model('train_packed', 'model', 'configuration', num_iterations => 27, use_gpus => false,
    validation_table => 'test_packed', metrics_compute_frequency => 1, seed => 42) \g /dev/null

-- A configuration that diverged has a short curve.
SELECT model_id, compile_params, fit_params,
       (SELECT string_agg(round(loss::numeric, 5)::text, ' ' ORDER BY iteration)
        FROM unnest(validation_loss) WITH ORDINALITY AS curve(loss, iteration)
        WHERE loss < 'Infinity') AS validation_loss
FROM model_info ORDER BY mst_key;
DROP SCHEMA search_curves CASCADE;
