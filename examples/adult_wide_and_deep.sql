-- Two inputs: a wide one of words as zeros and ones, a deep one of numbers. Who earns more than 50,000 dollars?
-- Run it from the top of the checkout:  tools/server psql < examples/adult_wide_and_deep.sql
-- (\g /dev/null runs a function that returns nothing, without printing an empty table.)
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS adult CASCADE;
CREATE SCHEMA adult;
SET search_path = adult, public;

\echo
\echo == 1. Load 8,141 training and 4,071 test rows of a census
CREATE TABLE person (id integer, age real, workclass text, education text, education_num real, marital_status text, occupation text,
  relationship text, race text, sex text, capital_gain real, capital_loss real, hours_per_week real, native_country text, income text);
CREATE TABLE test_person (LIKE person);
\copy person FROM PROGRAM 'gzip -dc data/adult/train.csv.gz' CSV HEADER
\copy test_person FROM PROGRAM 'gzip -dc data/adult/test.csv.gz' CSV HEADER
SELECT income, count(*), round(avg(hours_per_week)::numeric, 1) AS hours FROM person GROUP BY income ORDER BY income;

\echo
\echo == 2. Two columns of examples: words of four columns as zeros and ones, five numbers of about the same size
CREATE TABLE category AS
SELECT row_number() OVER (ORDER BY kind, value) AS number, kind, value
FROM (SELECT DISTINCT v.kind, v.value FROM person p, LATERAL (VALUES ('workclass', p.workclass), ('marital', p.marital_status),
        ('occupation', p.occupation), ('relationship', p.relationship)) v(kind, value) WHERE v.value IS NOT NULL) distinct_values;
CREATE FUNCTION adult.wide(person) RETURNS smallint[] STABLE LANGUAGE sql
AS $$ SELECT array_agg((c.value IS NOT DISTINCT FROM CASE c.kind WHEN 'workclass' THEN $1.workclass WHEN 'marital' THEN $1.marital_status
        WHEN 'occupation' THEN $1.occupation ELSE $1.relationship END)::integer::smallint ORDER BY c.number) FROM adult.category c $$;
CREATE FUNCTION adult.deep(person) RETURNS real[] IMMUTABLE LANGUAGE sql
AS $$ SELECT ARRAY[$1.age / 50, $1.education_num / 10, ln($1.capital_gain + 1) / 10, ln($1.capital_loss + 1) / 10, $1.hours_per_week / 40]::real[] $$;
CREATE TABLE train AS SELECT p.id, p.income, adult.wide(p) AS wide, adult.deep(p) AS deep FROM person p;
CREATE TABLE test AS SELECT t.id, t.income, adult.wide(ROW(t.*)::person) AS wide, adult.deep(ROW(t.*)::person) AS deep FROM test_person t;
SELECT cardinality(wide) AS wide, deep FROM train ORDER BY id LIMIT 2;

\echo
\echo == 3. Pack both: the columns stand for the inputs of the model by their position
SELECT modelhop.training_preprocessor_dl('train', 'train_packed', 'income', 'wide, deep', num_segments => 4, seed => 1) \g /dev/null
SELECT modelhop.validation_preprocessor_dl('test', 'test_packed', 'income', 'wide, deep', 'train_packed') \g /dev/null

\echo
\echo == 4. A model of two branches
\set model `cat examples/architectures/adult_wide_and_deep.json`
SELECT modelhop.load_keras_model('architecture', :'model'::json, NULL, 'wide and deep') \g /dev/null
SELECT layer, class_name, output_shape, parameters, connected_to FROM modelhop.describe_model('architecture', 1);

\echo
\echo == 5. Four configurations
SELECT modelhop.generate_model_configs('architecture', 'configuration', ARRAY[1],
    $${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'],
       'optimizer_params_list': [{'optimizer': ['Adam'], 'lr': [0.01, 0.001]}, {'optimizer': ['SGD'], 'lr': [0.1, 0.01], 'momentum': [0.9]}]}$$,
    $${'batch_size': [64], 'epochs': [1]}$$) \g /dev/null
SELECT modelhop.fit_multiple_model('train_packed', 'model', 'configuration', 5, FALSE, 'test_packed', seed => 7) \g /dev/null
SELECT rank, compile_params, round(training_metric::numeric, 3) AS training, round(validation_metric::numeric, 3) AS validation
FROM modelhop.leaderboard('model') ORDER BY rank;

\echo
\echo == 6. Predictions take the two columns in the same order
SELECT mst_key AS best FROM modelhop.leaderboard('model') WHERE rank = 1 \gset
SELECT modelhop.predict('model', 'test', 'id', 'wide, deep', 'guess', 'response', mst_key => :best) \g /dev/null
SELECT income, class_value AS guess, count(*) FROM guess JOIN test USING (id) GROUP BY 1, 2 ORDER BY 1, 2;
