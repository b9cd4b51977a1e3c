-- Shared by the iris examples: the extension, a schema of the example's own (:example), 150 flowers, 120 of them to train on.
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS modelhop_madlib CASCADE;
DROP SCHEMA IF EXISTS :example CASCADE;
CREATE SCHEMA :example;
SET search_path = :example, public;
CREATE TABLE flower (id integer, sepal_length numeric, sepal_width numeric, petal_length numeric, petal_width numeric, class_text varchar);
\copy flower FROM data/iris/iris.csv CSV HEADER
CREATE TABLE iris_data AS
SELECT id, ARRAY[sepal_length, sepal_width, petal_length, petal_width] AS attributes, class_text FROM flower;
-- Whatever is drawn by chance below follows from this.
SELECT setseed(0.5) \g /dev/null
SELECT madlib.train_test_split('iris_data', 'iris', 0.8, NULL, NULL, NULL, FALSE, TRUE) \g /dev/null
