-- Arrays of numbers as bytes, as packed tables and weights have them.

CREATE FUNCTION modelhop.convert_bytea_to_real_array(bytes bytea) RETURNS real[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_bytea_to_real_array';
COMMENT ON FUNCTION modelhop.convert_bytea_to_real_array(bytea) IS 'float32 values, one behind the other, as an array.';

CREATE FUNCTION modelhop.convert_bytea_to_smallint_array(bytes bytea) RETURNS smallint[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_bytea_to_smallint_array';
COMMENT ON FUNCTION modelhop.convert_bytea_to_smallint_array(bytea) IS 'int16 values, one behind the other, as an array.';

CREATE FUNCTION modelhop.convert_array_to_bytea(numbers real[]) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_array_to_bytea';
COMMENT ON FUNCTION modelhop.convert_array_to_bytea(real[]) IS
'The numbers of an array as float32 values, one behind the other, the last dimension fastest.';
CREATE FUNCTION modelhop.convert_array_to_bytea(numbers smallint[]) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_array_to_bytea';
COMMENT ON FUNCTION modelhop.convert_array_to_bytea(smallint[]) IS
'The numbers of an array as int16 values, one behind the other, the last dimension fastest.';

CREATE FUNCTION modelhop.join_step(internal, real[]) RETURNS internal
LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'modelhop_join_real_arrays';
COMMENT ON FUNCTION modelhop.join_step(internal, real[]) IS 'Transition function of agg_array_concat.';
CREATE FUNCTION modelhop.join_step(internal, smallint[]) RETURNS internal
LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'modelhop_join_smallint_arrays';
COMMENT ON FUNCTION modelhop.join_step(internal, smallint[]) IS 'Transition function of agg_array_concat.';
CREATE FUNCTION modelhop.joined_real_array(internal) RETURNS real[]
LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'modelhop_joined_array';
COMMENT ON FUNCTION modelhop.joined_real_array(internal) IS 'Final function of agg_array_concat.';
CREATE FUNCTION modelhop.joined_smallint_array(internal) RETURNS smallint[]
LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'modelhop_joined_array';
COMMENT ON FUNCTION modelhop.joined_smallint_array(internal) IS 'Final function of agg_array_concat.';

CREATE AGGREGATE modelhop.agg_array_concat(numbers real[])
(SFUNC = modelhop.join_step, STYPE = internal, FINALFUNC = modelhop.joined_real_array);
COMMENT ON AGGREGATE modelhop.agg_array_concat(real[]) IS
'Arrays joined along their first dimension, in the order of the rows; NULL is left out.';
CREATE AGGREGATE modelhop.agg_array_concat(numbers smallint[])
(SFUNC = modelhop.join_step, STYPE = internal, FINALFUNC = modelhop.joined_smallint_array);
COMMENT ON AGGREGATE modelhop.agg_array_concat(smallint[]) IS
'Arrays joined along their first dimension, in the order of the rows; NULL is left out.';
