-- Shared by the image examples: the extension, a schema of the example's own (:example), and :images training images of Fashion-MNIST
-- with a quarter as many test images, each an array of 28 rows of 28 pixels of 1 channel, as MADlib wants them.
\set ON_ERROR_STOP on
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS modelhop_madlib CASCADE;
DROP SCHEMA IF EXISTS :example CASCADE;
CREATE SCHEMA :example;
SET search_path = :example, public;
CREATE TABLE raw_train (id integer, class_name text, image bytea);
CREATE TABLE raw_test (LIKE raw_train);
\copy raw_train FROM PROGRAM 'gzip -dc data/fashion_mnist/train.csv.gz' CSV HEADER
\copy raw_test FROM PROGRAM 'gzip -dc data/fashion_mnist/test.csv.gz' CSV HEADER
CREATE FUNCTION pixels(image bytea) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(line ORDER BY y) FROM (
    SELECT y, array_agg(ARRAY[get_byte(image, 28 * y + x)::real] ORDER BY x) AS line FROM generate_series(0, 27) y, generate_series(0, 27) x GROUP BY y) lines
$$;
CREATE TABLE images_train AS SELECT id, class_name, pixels(image) AS x FROM (SELECT * FROM raw_train ORDER BY id LIMIT :images) i;
CREATE TABLE images_test AS SELECT id, class_name, pixels(image) AS x FROM (SELECT * FROM raw_test ORDER BY id LIMIT :images / 4) i;
DROP TABLE raw_train, raw_test;
SELECT setseed(0.5) \g /dev/null
