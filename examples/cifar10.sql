-- Model selection on CIFAR-10, in the size of the psql variables that tools/demo --cifar10 sets:
--   train_images, test_images (0: all), iterations, epochs, finalists, final_iterations; the folder of the official
--   binary batches is the environment variable CIFAR10_DIR.
-- 96 configurations: 3 architectures x 8 optimizer settings x 4 batch sizes; then the best ones again, from scratch, for longer.
-- (\g /dev/null runs a function that returns nothing, without printing an empty table.)
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS cifar10 CASCADE;
RESET client_min_messages;
CREATE SCHEMA cifar10;
SET search_path = cifar10, public;

\echo
\echo == 1. Load the images, 32 x 32 pixels of red, green and blue
CREATE TABLE train (id integer PRIMARY KEY, class_name text NOT NULL, image bytea NOT NULL);
ALTER TABLE train ALTER image SET STORAGE EXTERNAL;
CREATE TABLE test (LIKE train INCLUDING ALL);
\copy train FROM PROGRAM 'tools/read_cifar10 "$CIFAR10_DIR" train --images "$TRAIN_IMAGES"' CSV
\copy test FROM PROGRAM 'tools/read_cifar10 "$CIFAR10_DIR" test --images "$TEST_IMAGES"' CSV
ANALYZE train, test;
SELECT (SELECT count(*) FROM train) AS train_images, (SELECT count(*) FROM test) AS test_images;

\echo
\echo == 2. Pack them in 4 segments
SELECT modelhop.training_preprocessor_dl(
    'train', 'train_packed', 'class_name', 'image',
    normalizing_const => 255, num_segments => 4, seed => 1, independent_shape => ARRAY[32, 32, 3]) \g /dev/null
SELECT modelhop.validation_preprocessor_dl('test', 'test_packed', 'class_name', 'image', 'train_packed') \g /dev/null

\echo
\echo == 3. Load three architectures
\set cnn `cat examples/architectures/cifar10_cnn.json`
\set vgg `cat examples/architectures/cifar10_vgg3.json`
\set small `cat examples/architectures/cifar10_small.json`
SELECT modelhop.load_keras_model('architecture', :'cnn'::json, NULL, 'CNN', 'the CIFAR-10 example of Keras') \g /dev/null
SELECT modelhop.load_keras_model('architecture', :'vgg'::json, NULL, 'VGG-3', 'three VGG blocks, batch normalization, dropout') \g /dev/null
SELECT modelhop.load_keras_model('architecture', :'small'::json, NULL, 'small', 'three convolutions') \g /dev/null

\echo
\echo == 4. 96 configurations
SELECT modelhop.load_model_selection_table(
    'architecture', 'configuration', ARRAY[1, 2, 3],
    ARRAY(SELECT format($$loss='categorical_crossentropy', optimizer='%s', metrics=['accuracy']$$, optimizer)
          FROM unnest(ARRAY['Adam(lr=0.0001)', 'Adam(lr=0.001)', 'RMSprop(lr=0.0001)', 'RMSprop(lr=0.001)',
                            'SGD(lr=0.001, momentum=0.9)', 'SGD(lr=0.01, momentum=0.9)', 'SGD(lr=0.01)',
                            'Adagrad(lr=0.01)']) AS optimizer),
    ARRAY(SELECT format('batch_size=%s, epochs=%s', batch_size, :epochs)
          FROM unnest(ARRAY[32, 64, 128, 256]) AS batch_size)) \g /dev/null
SELECT count(*) AS configurations FROM configuration;

\echo
\echo == 5. Train all 96
\timing on
SELECT modelhop.fit_multiple_model(
    'train_packed', 'model', 'configuration', num_iterations => :iterations, use_gpus => false,
    validation_table => 'test_packed', metrics_compute_frequency => 1, seed => 42) \g /dev/null
\timing off
SELECT rank, mst_key, name AS architecture, substring(compile_params FROM $$optimizer='([^']*)'$$) AS optimizer,
       substring(fit_params FROM 'batch_size=(\d+)') AS batch, round(validation_metric::numeric, 4) AS accuracy,
       round(training_metric::numeric, 4) AS in_training, round(metric_gap::numeric, 4) AS gap, status
FROM modelhop.leaderboard('model') JOIN architecture USING (model_id) ORDER BY rank LIMIT 20;

\echo
\echo == 6. The best ones again, from scratch, for longer
SELECT modelhop.select_models('model', 'finalist',
    ARRAY(SELECT mst_key FROM modelhop.leaderboard('model') WHERE rank IS NOT NULL ORDER BY rank LIMIT :finalists)) \g /dev/null
\timing on
SELECT modelhop.fit_multiple_model(
    'train_packed', 'final_model', 'finalist', num_iterations => :final_iterations, use_gpus => false,
    validation_table => 'test_packed', metrics_compute_frequency => 1, seed => 43) \g /dev/null
\timing off
SELECT rank, mst_key, name AS architecture, substring(compile_params FROM $$optimizer='([^']*)'$$) AS optimizer,
       substring(fit_params FROM 'batch_size=(\d+)') AS batch, round(validation_metric::numeric, 4) AS accuracy,
       round(training_metric::numeric, 4) AS in_training, round(metric_gap::numeric, 4) AS gap, status
FROM modelhop.leaderboard('final_model') JOIN architecture USING (model_id) ORDER BY rank;

\echo
\echo == 7. The winner names five images: its three best guesses for each
SELECT mst_key AS best FROM modelhop.leaderboard('final_model') WHERE rank = 1 \gset
CREATE TABLE five AS SELECT DISTINCT ON (class_name) * FROM test ORDER BY class_name, id LIMIT 5;
SELECT modelhop.predict('final_model', 'five', 'id', 'image', 'guess', pred_type => 3, mst_key => :best) \g /dev/null
SELECT five.id, five.class_name AS truth,
       string_agg(format('%s %s %%', class_value, round(100 * prob::numeric, 1)), ', ' ORDER BY rank) AS guesses
FROM five JOIN guess USING (id) GROUP BY five.id, truth ORDER BY five.id;
