-- Convolutional networks on images of clothes.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/images.sql
\set example madlib_images
\if :{?images} \else \set images 800 \endif
\ir load_images.sql

\echo
\echo == 1. Pack the images; pixels are divided by 255
SELECT madlib.training_preprocessor_dl('images_train', 'images_train_packed', 'class_name', 'x', NULL, 255) \g /dev/null
SELECT madlib.validation_preprocessor_dl('images_test', 'images_test_packed', 'class_name', 'x', 'images_train_packed') \g /dev/null
SELECT count(*) AS buffers, max(x_shape) AS shape FROM images_train_packed;

\echo
\echo == 2. Train four networks
\set cnn `cat examples/architectures/fashion_cnn.json`
\set cnn_dropout `cat examples/architectures/fashion_cnn_dropout.json`
SELECT madlib.load_keras_model('model_arch_library', :'cnn'::json, NULL, 'CNN', 'two convolutions') \g /dev/null
SELECT madlib.load_keras_model('model_arch_library', :'cnn_dropout'::json, NULL, 'CNN with dropout', 'twice as wide, dropout') \g /dev/null
SELECT madlib.load_model_selection_table('model_arch_library', 'mst_table', ARRAY[1, 2],
    ARRAY[$$loss='categorical_crossentropy', optimizer='Adam(lr=0.003)', metrics=['accuracy']$$,
          $$loss='categorical_crossentropy', optimizer='RMSprop(lr=0.001)', metrics=['accuracy']$$], ARRAY['batch_size=32, epochs=1']) \g /dev/null
SELECT madlib.madlib_keras_fit_multiple_model('images_train_packed', 'images_model', 'mst_table', 5, FALSE, 'images_test_packed', 1) \g /dev/null
SELECT mst_key, model_id, compile_params, round(validation_metrics_final::numeric, 3) AS accuracy FROM images_model_info ORDER BY validation_metrics_final DESC;

\echo
\echo == 3. The three best guesses of the best network for some images
SELECT mst_key AS best FROM images_model_info ORDER BY validation_metrics_final DESC LIMIT 1 \gset
SELECT madlib.madlib_keras_predict('images_model', 'images_test', 'id', 'x', 'images_guess', 3, FALSE, :best) \g /dev/null
SELECT id, class_name AS truth, string_agg(format('%s %s %%', class_value, round(100 * prob::numeric)), ', ' ORDER BY rank) AS guesses
FROM images_test t JOIN (SELECT id, class_value, prob, rank FROM images_guess) g USING (id) GROUP BY 1, 2 ORDER BY 1 LIMIT 5;

DO $$
BEGIN
  ASSERT (SELECT count(*) FROM images_guess) = 3 * (SELECT count(*) FROM images_test), 'three guesses for each image';
  ASSERT (SELECT max(validation_metrics_final) FROM images_model_info) > 0.6, 'six of ten images are named';
  ASSERT (SELECT bool_and(validation_loss[5] < validation_loss[1]) FROM images_model_info), 'every network learns';
END $$;
