-- What a network learnt on five kinds of clothes helps it with five others: its convolutions are kept, the rest learns anew.
-- Run it from the top of the checkout:  tools/server psql -f examples/madlib/transfer_learning.sql
\set example madlib_transfer_learning
\if :{?images} \else \set images 1200 \endif
\ir load_images.sql
CREATE TABLE first_five AS SELECT * FROM images_train WHERE class_name IN (SELECT DISTINCT class_name FROM images_train ORDER BY 1 LIMIT 5);
CREATE TABLE other_five AS SELECT * FROM images_train WHERE class_name NOT IN (SELECT class_name FROM first_five);
SELECT madlib.training_preprocessor_dl('first_five', 'first_packed', 'class_name', 'x', NULL, 255) \g /dev/null
SELECT madlib.training_preprocessor_dl('other_five', 'other_packed', 'class_name', 'x', NULL, 255) \g /dev/null

\echo
\echo == 1. Learn the first five kinds
\set network `cat examples/madlib/five_classes_cnn.json`
\set frozen_network `sed 's/"trainable": true, "name": "conv/"trainable": false, "name": "conv/' examples/madlib/five_classes_cnn.json`
SELECT madlib.load_keras_model('model_arch_library', :'network'::json, NULL, 'everything learns') \g /dev/null
SELECT madlib.load_keras_model('model_arch_library', :'frozen_network'::json, NULL, 'convolutions stay') \g /dev/null
SELECT madlib.madlib_keras_fit('first_packed', 'first_model', 'model_arch_library', 1,
    $$loss='categorical_crossentropy', optimizer='Adam(lr=0.002)', metrics=['accuracy']$$, $$batch_size=32, epochs=1$$, 6) \g /dev/null
SELECT round(training_metrics_final::numeric, 2) AS accuracy FROM first_model_summary;

\echo
\echo == 2. Its weights begin the other network, which learns the other five
UPDATE model_arch_library SET model_weights = (SELECT model_weights FROM first_model) WHERE model_id = 2;
SELECT madlib.madlib_keras_fit('other_packed', 'other_model', 'model_arch_library', 2,
    $$loss='categorical_crossentropy', optimizer='Adam(lr=0.002)', metrics=['accuracy']$$, $$batch_size=32, epochs=1$$, 4, FALSE, NULL, 1) \g /dev/null
SELECT array(SELECT round(m::numeric, 2) FROM unnest(training_metrics) m) AS accuracy_by_iteration FROM other_model_summary;

\echo
\echo == 3. The convolutions are what they were
SELECT sum(octet_length(model_weights)) AS bytes FROM other_model;
DO $$
DECLARE
  -- 8 filters of 3 x 3 pixels and 8 biases, then 16 filters of 3 x 3 x 8 and 16 biases, 4 bytes each.
  kept CONSTANT integer := 4 * (8 * 9 + 8 + 16 * 72 + 16);
BEGIN
  ASSERT (SELECT substring(o.model_weights FOR kept) = substring(f.model_weights FOR kept) FROM first_model f, other_model o), 'frozen layers keep their weights';
  ASSERT (SELECT substring(o.model_weights FROM kept + 1) <> substring(f.model_weights FROM kept + 1) FROM first_model f, other_model o), 'the others learn';
  ASSERT (SELECT training_metrics_final FROM first_model_summary) > 0.75, 'three of four images of the first kinds are named';
  ASSERT (SELECT training_metrics_final FROM other_model_summary) > 0.7, 'and seven of ten of the others';
END $$;
