-- Where the functions go. A control file knows either one fixed schema or none at all; we want madlib unless the caller
-- names another one. The schema that PostgreSQL takes where none is named, public, stands for madlib here. Names of
-- functions that follow are made in that schema.
DO $place$
DECLARE
  place text := $at$@extschema@$at$;
BEGIN
  IF place = 'public' THEN
    IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'madlib') THEN
      RAISE EXCEPTION USING ERRCODE = 'duplicate_schema', MESSAGE = 'schema "madlib" already exists',
        HINT = 'Apache MADlib''s own may stay: CREATE EXTENSION modelhop_madlib SCHEMA another_schema.';
    END IF;
    place := 'madlib';
    CREATE SCHEMA madlib;
    COMMENT ON SCHEMA madlib IS 'The names of Apache MADlib''s deep-learning functions, by modelhop';
    GRANT USAGE ON SCHEMA madlib TO PUBLIC;
  ELSIF EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.proname = 'madlib_keras_fit'
                  AND p.pronamespace = pg_catalog.to_regnamespace(place)) THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_function',
      MESSAGE = pg_catalog.format('schema %s already has a function madlib_keras_fit', place),
      HINT = 'Apache MADlib''s own may stay: CREATE EXTENSION modelhop_madlib SCHEMA another_schema.';
  END IF;
  PERFORM pg_catalog.set_config('search_path', pg_catalog.concat(place, ', pg_temp'), true);
END $place$;
