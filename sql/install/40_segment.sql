CREATE FUNCTION modelhop.train_segment_step(
  state internal, feed integer, buffer_id integer, num_rows integer, VARIADIC arrays "any") RETURNS internal
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_train_segment_step';
COMMENT ON FUNCTION modelhop.train_segment_step(internal, integer, integer, integer, "any") IS
'Transition function of the aggregate train_segment: hands one buffer to the trainer.';

CREATE FUNCTION modelhop.train_segment_end(state internal) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_train_segment_end';
COMMENT ON FUNCTION modelhop.train_segment_end(internal) IS
'Final function of the aggregate train_segment: tells the trainer that the segment is complete.';

CREATE AGGREGATE modelhop.train_segment(
  feed integer, buffer_id integer, num_rows integer, VARIADIC arrays "any") (
  SFUNC = modelhop.train_segment_step,
  STYPE = internal,
  FINALFUNC = modelhop.train_segment_end,
  FINALFUNC_MODIFY = READ_WRITE,
  PARALLEL = UNSAFE);
COMMENT ON AGGREGATE modelhop.train_segment(integer, integer, integer, "any") IS
'Feeds the rows of one segment of a packed table to the trainer and returns the number of examples: the bytea columns of the independent and dependent variables, then sample weights. The functions that train call it; it needs a feed that they have opened.';
