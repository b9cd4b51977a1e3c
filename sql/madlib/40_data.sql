-- What MADlib's deep-learning scripts use besides: arrays as bytes, and rows dealt by chance.

CREATE FUNCTION convert_bytea_to_real_array(bytes bytea) RETURNS real[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT modelhop.convert_bytea_to_real_array($1) $$;
COMMENT ON FUNCTION convert_bytea_to_real_array(bytea) IS
'float32 values, one behind the other, as an array: modelhop.convert_bytea_to_real_array.';

CREATE FUNCTION convert_bytea_to_smallint_array(bytes bytea) RETURNS smallint[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT modelhop.convert_bytea_to_smallint_array($1) $$;
COMMENT ON FUNCTION convert_bytea_to_smallint_array(bytea) IS
'int16 values, one behind the other, as an array: modelhop.convert_bytea_to_smallint_array.';

CREATE FUNCTION convert_array_to_bytea(numbers real[]) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT modelhop.convert_array_to_bytea($1) $$;
COMMENT ON FUNCTION convert_array_to_bytea(real[]) IS
'An array as float32 values, one behind the other: modelhop.convert_array_to_bytea.';
CREATE FUNCTION convert_array_to_bytea(numbers smallint[]) RETURNS bytea
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT modelhop.convert_array_to_bytea($1) $$;
COMMENT ON FUNCTION convert_array_to_bytea(smallint[]) IS
'An array as int16 values, one behind the other: modelhop.convert_array_to_bytea.';

CREATE AGGREGATE agg_array_concat(numbers real[])
(SFUNC = modelhop.join_step, STYPE = internal, FINALFUNC = modelhop.joined_real_array, FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE agg_array_concat(real[]) IS
'Arrays joined along their first dimension, in the order of the rows: modelhop.agg_array_concat.';
CREATE AGGREGATE agg_array_concat(numbers smallint[])
(SFUNC = modelhop.join_step, STYPE = internal, FINALFUNC = modelhop.joined_smallint_array, FINALFUNC_MODIFY = READ_WRITE);
COMMENT ON AGGREGATE agg_array_concat(smallint[]) IS
'Arrays joined along their first dimension, in the order of the rows: modelhop.agg_array_concat.';

CREATE FUNCTION array_square(x anyarray) RETURNS anyarray
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT array_agg(v * v ORDER BY i) FROM unnest(x) WITH ORDINALITY AS u(v, i) $$;
COMMENT ON FUNCTION array_square(anyarray) IS 'An array of the squares of an array''s elements.';

CREATE FUNCTION train_test_split(
  source_table text, output_table text, train_proportion double precision, test_proportion double precision DEFAULT NULL,
  grouping_cols text DEFAULT NULL, target_cols text DEFAULT NULL, with_replacement boolean DEFAULT false,
  separate_output_tables boolean DEFAULT false) RETURNS void
LANGUAGE sql
AS $$ SELECT modelhop.train_test_split($1, $2, $3, $4, $5, $6, $7, $8) $$;
COMMENT ON FUNCTION train_test_split(text, text, double precision, double precision, text, text, boolean, boolean) IS
'Deals the rows of a table by chance into rows for training and rows for testing: modelhop.train_test_split.';

CREATE FUNCTION version() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT concat('modelhop ', (SELECT extversion FROM pg_extension WHERE extname = 'modelhop'),
                ', with the deep-learning functions of MADlib 2.1.0')
$$;
-- Without a schema the name means PostgreSQL's own.
DO $comment$
BEGIN
  EXECUTE format('COMMENT ON FUNCTION %I.version() IS %L', current_schema(),
                 'The version of modelhop, and that of MADlib whose functions these are.');
END $comment$;
