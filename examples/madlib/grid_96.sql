-- 96 configurations on images by MADlib's names: 3 architectures x 8 optimizers x 4 batch sizes, as in the best-known runs of MADlib,
-- on :images images for :iterations iterations. tools/demo --madlib runs it in a size that shows something.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/grid_96.sql
\set example madlib_grid_96
\if :{?images} \else \set images 200 \endif
\if :{?iterations} \else \set iterations 1 \endif
\ir load_images.sql

\echo
\echo == 1. Pack :images images, and a quarter as many for validation
SELECT madlib.training_preprocessor_dl('images_train', 'images_train_packed', 'class_name', 'x', NULL, 255) \g /dev/null
SELECT madlib.validation_preprocessor_dl('images_test', 'images_test_packed', 'class_name', 'x', 'images_train_packed') \g /dev/null

\echo
\echo == 2. Load three architectures
\set cnn `cat examples/architectures/fashion_cnn.json`
\set cnn_dropout `cat examples/architectures/fashion_cnn_dropout.json`
\set vgg `cat examples/architectures/fashion_vgg.json`
SELECT madlib.load_keras_model('model_arch_library', :'cnn'::json, NULL, 'CNN', 'two convolutions') \g /dev/null
SELECT madlib.load_keras_model('model_arch_library', :'cnn_dropout'::json, NULL, 'CNN with dropout', 'twice as wide, dropout') \g /dev/null
SELECT madlib.load_keras_model('model_arch_library', :'vgg'::json, NULL, 'VGG', 'two VGG blocks, batch normalization, dropout') \g /dev/null

\echo
\echo == 3. 96 configurations
SELECT madlib.generate_model_configs(
    'model_arch_library', 'mst_table', ARRAY[1, 2, 3],
    $$ {'loss': ['categorical_crossentropy'],
        'optimizer_params_list': [{'optimizer': ['Adam', 'RMSprop'], 'lr': [0.0001, 0.001, 0.003]},
                                  {'optimizer': ['SGD'], 'lr': [0.01, 0.05], 'momentum': [0.9]}],
        'metrics': ['accuracy']} $$,
    $$ {'batch_size': [16, 32, 64, 128], 'epochs': [1]} $$) \g /dev/null
SELECT count(*) AS configurations FROM mst_table;

\echo
\echo == 4. Train all of them for :iterations iterations
SET client_min_messages = notice;
\timing on
SELECT madlib.madlib_keras_fit_multiple_model('images_train_packed', 'images_model', 'mst_table', :iterations, FALSE, 'images_test_packed', 1) \g /dev/null
\timing off
SET client_min_messages = warning;
SELECT i.mst_key, m.name AS architecture, substring(i.compile_params FROM $$optimizer='([^']*)'$$) AS optimizer,
    substring(i.fit_params FROM 'batch_size=(\d+)') AS batch, round(i.validation_metrics_final::numeric, 3) AS accuracy,
    round(i.training_metrics_final::numeric, 3) AS in_training
FROM images_model_info i JOIN model_arch_library m USING (model_id) ORDER BY i.validation_metrics_final DESC, i.validation_loss_final LIMIT 12;

\echo
\echo == 5. The best one names five images: its three best guesses for each
SELECT mst_key AS best FROM images_model_info ORDER BY validation_metrics_final DESC, validation_loss_final LIMIT 1 \gset
CREATE TABLE five AS SELECT DISTINCT ON (class_name) * FROM images_test ORDER BY class_name, id LIMIT 5;
SELECT madlib.madlib_keras_predict('images_model', 'five', 'id', 'x', 'guess', 3, FALSE, :best) \g /dev/null
SELECT five.id, five.class_name AS truth, string_agg(format('%s %s %%', class_value, round(100 * prob::numeric, 1)), ', ' ORDER BY rank) AS guesses
FROM five JOIN (SELECT id, class_value, prob, rank FROM guess) g USING (id) GROUP BY 1, 2 ORDER BY 1;

DO $$
BEGIN
  ASSERT (SELECT count(*) FROM mst_table) = 96 AND (SELECT count(*) FROM images_model_info) = 96, 'every configuration was trained';
  ASSERT (SELECT max(validation_metrics_final) FROM images_model_info) > 0.25, 'the best one guesses better than by chance';
  ASSERT (SELECT count(DISTINCT octet_length(model_weights)) FROM images_model) = 3, 'three architectures have three sizes';
END $$;
