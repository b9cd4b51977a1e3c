-- Model selection on Fashion-MNIST: from two CSV files to a leaderboard and predictions.
-- Run it from the top of the checkout:  tools/server psql < examples/fashion_mnist.sql
-- (\g /dev/null runs a function that returns nothing, without printing an empty table.)
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS fashion_mnist CASCADE;
RESET client_min_messages;
CREATE SCHEMA fashion_mnist;
SET search_path = fashion_mnist, public;

\echo
\echo == 1. Load 8,000 training and 2,000 test images of 28 x 28 pixels
CREATE TABLE train (id integer PRIMARY KEY, class_name text NOT NULL, image bytea NOT NULL);
CREATE TABLE test (LIKE train INCLUDING ALL);
\copy train FROM PROGRAM 'gzip -dc data/fashion_mnist/train.csv.gz' CSV HEADER
\copy test FROM PROGRAM 'gzip -dc data/fashion_mnist/test.csv.gz' CSV HEADER
ANALYZE train, test;

\echo
\echo == 2. Pack them: many images to a row, shuffled, in 4 segments
SELECT modelhop.training_preprocessor_dl(
    'train', 'train_packed', 'class_name', 'image',
    normalizing_const => 255, num_segments => 4, seed => 1, independent_shape => ARRAY[28, 28, 1]) \g /dev/null
SELECT modelhop.validation_preprocessor_dl('test', 'test_packed', 'class_name', 'image', 'train_packed') \g /dev/null
SELECT count(*) AS buffers, pg_size_pretty(sum(octet_length(image))) AS pixels FROM train_packed;

\echo
\echo == 3. Load two architectures, as Keras writes them
\set cnn `cat examples/architectures/fashion_cnn.json`
\set cnn_dropout `cat examples/architectures/fashion_cnn_dropout.json`
SELECT modelhop.load_keras_model('architecture', :'cnn'::json, NULL, 'CNN', 'two convolutions') \g /dev/null
SELECT modelhop.load_keras_model('architecture', :'cnn_dropout'::json, NULL, 'CNN with dropout', 'twice as wide, dropout') \g /dev/null
SELECT model_id, name, description FROM architecture ORDER BY model_id;

\echo
\echo == 4. Twelve configurations: 2 architectures x 3 optimizers x 2 batch sizes
SELECT modelhop.load_model_selection_table(
    'architecture', 'configuration', ARRAY[1, 2],
    ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.001)', metrics=['accuracy']$$,
          $$loss='categorical_crossentropy', optimizer='Adam(lr=0.0001)', metrics=['accuracy']$$,
          $$loss='categorical_crossentropy', optimizer='SGD(lr=0.01, momentum=0.9)', metrics=['accuracy']$$],
    ARRAY['batch_size=32, epochs=1', 'batch_size=128, epochs=1']) \g /dev/null
SELECT mst_key, model_id, substring(compile_params FROM $$optimizer='([^']*)'$$) AS optimizer, fit_params
FROM configuration ORDER BY mst_key;

\echo
\echo == 5. Train all of them together, hopping from segment to segment
\timing on
SELECT modelhop.fit_multiple_model(
    'train_packed', 'model', 'configuration', num_iterations => 5, use_gpus => false,
    validation_table => 'test_packed', metrics_compute_frequency => 1, seed => 42) \g /dev/null
\timing off

\echo
\echo == 6. The leaderboard
SELECT rank, mst_key, name AS architecture, substring(compile_params FROM $$optimizer='([^']*)'$$) AS optimizer,
       substring(fit_params FROM 'batch_size=(\d+)') AS batch, round(validation_metric::numeric, 4) AS accuracy,
       round(training_metric::numeric, 4) AS in_training, round(metric_gap::numeric, 4) AS gap, status
FROM modelhop.leaderboard('model') JOIN architecture USING (model_id) ORDER BY rank;

\echo
\echo == 7. The best one names five images: its three best guesses for each
SELECT mst_key AS best FROM modelhop.leaderboard('model') WHERE rank = 1 \gset
CREATE TABLE five AS SELECT DISTINCT ON (class_name) * FROM test ORDER BY class_name, id LIMIT 5;
SELECT modelhop.predict('model', 'five', 'id', 'image', 'guess', pred_type => 3, mst_key => :best) \g /dev/null
SELECT five.id, five.class_name AS truth,
       string_agg(format('%s %s %%', class_value, round(100 * prob::numeric, 1)), ', ' ORDER BY rank) AS guesses
FROM five JOIN guess USING (id) GROUP BY five.id, truth ORDER BY five.id;
