-- Text: which SMS is spam? Words become numbers in SQL, an LSTM reads them.
-- Run it from the top of the checkout:  tools/server psql < examples/sms_lstm.sql
-- (\g /dev/null runs a function that returns nothing, without printing an empty table.)
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS sms CASCADE;
CREATE SCHEMA sms;
SET search_path = sms, public;

\echo
\echo == 1. Load 5,574 messages; every fifth one is for validation
CREATE TABLE message (id integer PRIMARY KEY, label text NOT NULL, body text NOT NULL);
\copy message FROM PROGRAM 'gzip -dc data/sms_spam/messages.csv.gz' CSV HEADER
SELECT label, count(*) FROM message GROUP BY label ORDER BY label;

\echo
\echo == 2. Number the words: 0 pads, 1 is any rare word, 2 to 999 are the frequent ones of the training messages
CREATE TABLE word AS
SELECT m.id, w.place, w.word
FROM message m, regexp_split_to_table(lower(m.body), '[^a-z0-9]+') WITH ORDINALITY AS w(word, place) WHERE w.word <> '';
CREATE TABLE vocabulary AS
SELECT word, 1 + row_number() OVER (ORDER BY count(*) DESC, word) AS number
FROM word WHERE id % 5 <> 0 GROUP BY word ORDER BY count(*) DESC, word LIMIT 998;
-- The last 20 words of a message, zeros before a shorter one.
CREATE TABLE example AS
SELECT m.id, m.label, array_fill(0, ARRAY[greatest(20 - cardinality(n.numbers), 0)]) || n.numbers[greatest(cardinality(n.numbers) - 19, 1):] AS words
FROM message m JOIN LATERAL (
  SELECT coalesce(array_agg(coalesce(v.number, 1)::integer ORDER BY w.place), '{}') AS numbers
  FROM word w LEFT JOIN vocabulary v USING (word) WHERE w.id = m.id) n ON true;
CREATE TABLE train AS SELECT * FROM example WHERE id % 5 <> 0;
CREATE TABLE test AS SELECT * FROM example WHERE id % 5 = 0;
SELECT id, label, words FROM train ORDER BY id LIMIT 2;

\echo
\echo == 3. Pack them: numbers of words stay as they are
SELECT modelhop.training_preprocessor_dl('train', 'train_packed', 'label', 'words', num_segments => 4, seed => 1,
    dependent_encoding => 'class_id') \g /dev/null
SELECT modelhop.validation_preprocessor_dl('test', 'test_packed', 'label', 'words', 'train_packed') \g /dev/null

\echo
\echo == 4. Embedding, LSTM, one number
\set lstm `cat examples/architectures/sms_lstm.json`
SELECT modelhop.load_keras_model('architecture', :'lstm'::json, NULL, 'LSTM') \g /dev/null
SELECT layer, class_name, output_shape, parameters FROM modelhop.describe_model('architecture', 1);

\echo
\echo == 5. Three learning rates, each until its validation loss no longer falls
SELECT modelhop.load_model_selection_table('architecture', 'configuration', ARRAY[1],
    ARRAY[$$loss='binary_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy', 'AUC']$$,
          $$loss='binary_crossentropy', optimizer='Adam(lr=0.003)', metrics=['accuracy', 'AUC']$$,
          $$loss='binary_crossentropy', optimizer='RMSprop(lr=0.01)', metrics=['accuracy', 'AUC']$$],
    ARRAY[$$batch_size=32, callbacks=[EarlyStopping(patience=2, restore_best_weights=True)]$$]) \g /dev/null
SELECT modelhop.fit_multiple_model('train_packed', 'model', 'configuration', 8, FALSE, 'test_packed', seed => 7) \g /dev/null
SELECT rank, mst_key, round((validation_scores ->> 'accuracy')::numeric, 3) AS accuracy, round((validation_scores ->> 'auc')::numeric, 3) AS auc,
    status, (validation_scores ->> 'iteration') AS weights_of_iteration
FROM modelhop.leaderboard('model') ORDER BY rank;

\echo
\echo == 6. What the best one takes for spam
SELECT mst_key AS best FROM modelhop.leaderboard('model') WHERE rank = 1 \gset
SELECT modelhop.predict('model', 'test', 'id', 'words', 'guess', 'response', mst_key => :best) \g /dev/null
SELECT label, class_value AS guess, count(*) FROM guess JOIN test USING (id) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT round(prob::numeric, 3) AS prob, left(body, 60) AS body FROM guess JOIN message USING (id) WHERE class_value = 'spam' ORDER BY prob DESC, id LIMIT 3;
