-- Which segments of a packed table get data: the argument distribution_rules of the preprocessors. Segments have the
-- numbers that Greenplum gives its primaries: segment j has content j and dbid j + 2; dbid 1 is the coordinator.

CREATE TYPE modelhop.distribution AS (num_segments integer, segments integer[]);
COMMENT ON TYPE modelhop.distribution IS
'How many segments a packed table has, and which of them get data, ascending from 0; NULL: all.';

CREATE FUNCTION modelhop.distribution_table(distribution_rules text) RETURNS regclass
LANGUAGE sql STABLE
AS $$
  SELECT CASE WHEN (distribution_rules OPERATOR(pg_catalog.=) ANY ('{all_segments,gpu_segments}'::pg_catalog.text[]))
                   IS NOT FALSE THEN NULL
         ELSE modelhop.existing_table('distribution_rules', distribution_rules) END
$$;
COMMENT ON FUNCTION modelhop.distribution_table(text) IS
'The table that distribution_rules names; NULL where it is a rule, or NULL for all segments.';

CREATE FUNCTION modelhop.segments_of_dbids(rule_table regclass, num_segments integer) RETURNS integer[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  subject CONSTANT text := format('argument distribution_rules: table %s', rule_table);
  dbids bigint[];
  wrong bigint;
BEGIN
  PERFORM modelhop.check_columns('distribution_rules', rule_table, '{dbid}',
                                 'Name a table whose column dbid lists the segments that get data.');
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = rule_table AND attname = 'dbid'
                 AND atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)) THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch', MESSAGE = subject || ' has a column dbid that is no integer',
      HINT = 'Cast the column in a view.';
  END IF;
  EXECUTE format('SELECT array_agg(dbid ORDER BY dbid) FROM %s', rule_table) INTO dbids;
  IF dbids IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = subject || ' has no rows',
      HINT = 'List the dbid of each segment that gets data, or use NULL for all segments.';
  ELSIF array_position(dbids, NULL) IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = subject || ' has a NULL dbid';
  END IF;
  SELECT d INTO wrong FROM unnest(dbids) d GROUP BY d HAVING count(*) > 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('%s has duplicate values: dbid %s', subject, wrong), HINT = 'List each dbid once.';
  END IF;
  SELECT d INTO wrong FROM unnest(dbids) d WHERE d NOT BETWEEN 2 AND num_segments::bigint + 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('%s has dbid %s, which is not a primary segment', subject, wrong),
      HINT = format('The dbids of %s segments are 2 to %s; 1 is the coordinator.', num_segments,
                    num_segments::bigint + 1);
  END IF;
  RETURN ARRAY(SELECT (d - 2)::integer FROM unnest(dbids) d ORDER BY d);
END $$;
COMMENT ON FUNCTION modelhop.segments_of_dbids(regclass, integer) IS
'The segments that a table of dbids lists; refuses what is not the dbid of a segment.';

CREATE FUNCTION modelhop.make_distribution(rules text, rule_table regclass, num_segments integer)
RETURNS modelhop.distribution
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF rule_table IS NOT NULL THEN
    RETURN (num_segments, modelhop.segments_of_dbids(rule_table, num_segments));
  ELSIF rules = 'gpu_segments' THEN
    -- All segments of a server share its trainer, and so its GPUs.
    IF NOT EXISTS (SELECT FROM modelhop.visible_gpus()) THEN
      RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
        MESSAGE = 'argument distribution_rules: ''gpu_segments'' leaves no segment: No GPUs configured on hosts',
        HINT = 'Set modelhop.device on a server with a CUDA build and a GPU, or use NULL for all segments.';
    END IF;
    RETURN (num_segments, ARRAY(SELECT generate_series(0, num_segments - 1)));
  END IF;
  RETURN (num_segments, NULL::integer[]);
END $$;
COMMENT ON FUNCTION modelhop.make_distribution(text, regclass, integer) IS
'What distribution_rules means for so many segments; refuses rules that leave none.';

CREATE FUNCTION modelhop.placed_buffer(buffer text, distribution modelhop.distribution) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN distribution.segments IS NULL THEN buffer
         ELSE format('(%1$s) / %2$s * %3$s + (%4$L::integer[])[((%1$s) %% %2$s + 1)::integer]', buffer,
                     cardinality(distribution.segments), distribution.num_segments, distribution.segments) END
$$;
COMMENT ON FUNCTION modelhop.placed_buffer(text, modelhop.distribution) IS
'The buffer_id, as an expression, of the buffer that another expression counts from 0: buffer_id modulo num_segments is its segment.';
