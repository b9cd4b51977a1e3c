-- The preprocessor of training tables, and the checks that both preprocessors share.

CREATE FUNCTION modelhop.check_packing_arguments(
  source regclass, dependent_names text[], independent_names text[], weight_names text[], buffer_size integer,
  num_segments integer, independent_shape integer[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  name text;
BEGIN
  PERFORM modelhop.check_columns('dependent_varname', source, dependent_names, 'Name a column of the source table.');
  PERFORM modelhop.check_columns('independent_varname', source, independent_names, 'Name a column of the source table.');
  PERFORM modelhop.check_columns('sample_weight_varname', source, weight_names, 'Name a column of the source table.');
  IF cardinality(weight_names) > 1 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument sample_weight_varname: %s names %s columns', weight_names, cardinality(weight_names)),
      HINT = 'All outputs share one column of weights.';
  END IF;
  SELECT n INTO name FROM unnest(independent_names || dependent_names || weight_names || '{buffer_id}'::text[]) n
  GROUP BY n HAVING count(*) > 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'duplicate_column',
      MESSAGE = format('column "%s" would stand twice in the packed table', name),
      HINT = 'Name each column once; buffer_id is a name of the packed table''s own.';
  END IF;
  SELECT n INTO name FROM unnest(independent_names || dependent_names) n WHERE octet_length(n) > 63 - 13 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'name_too_long', MESSAGE = format('column name "%s" is too long', name),
      HINT = 'Use a name of at most 50 bytes: suffixes are put behind it.';
  ELSIF buffer_size <= 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument buffer_size: %s is not positive', buffer_size), HINT = 'Give NULL for a good default.';
  ELSIF num_segments <= 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument num_segments: %s is not positive', num_segments),
      HINT = 'Give NULL for the number of slots of the trainer.';
  ELSIF independent_shape IS NOT NULL AND cardinality(independent_names) > 1 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = 'argument independent_shape goes with one independent variable';
  END IF;
  PERFORM modelhop.refuse_own_column('num_segments', nullif(num_segments, 1)::text);
  PERFORM modelhop.refuse_own_column('sample_weight_varname', weight_names[1]);
END $$;
COMMENT ON FUNCTION modelhop.check_packing_arguments(regclass, text[], text[], text[], integer, integer, integer[]) IS
'Refuses arguments of the preprocessors that make no sense, before data is read.';

CREATE FUNCTION modelhop.independent_constants(independent_names text[], normalizing_const real, normalizing_consts real[])
RETURNS real[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT (normalizing_const > 0 AND normalizing_const < 'Infinity') THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument normalizing_const: %s is not a positive number', normalizing_const),
      HINT = 'Give what the values are divided by, 255 for bytes of images.';
  ELSIF normalizing_consts IS NULL THEN
    RETURN array_fill(normalizing_const, ARRAY[cardinality(independent_names)]);
  ELSIF abs(normalizing_const - 1) >= 1e-6 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument normalizing_const: %s goes not with normalizing_consts %s', normalizing_const,
                       normalizing_consts),
      HINT = 'Give one of them.';
  ELSIF cardinality(normalizing_consts) <> cardinality(independent_names) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument normalizing_consts: %s has not one number for each of the %s independent variables',
                       normalizing_consts, cardinality(independent_names)),
      HINT = 'Give 1 for columns that stay as they are, such as numbers of words.';
  ELSIF NOT (SELECT bool_and(c IS NOT NULL AND c > 0 AND c < 'Infinity') FROM unnest(normalizing_consts) c) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument normalizing_consts: %s has a value that is not a positive number', normalizing_consts),
      HINT = 'Give what the values of each column are divided by.';
  END IF;
  RETURN ARRAY(SELECT unnest(normalizing_consts));  -- from 1, whatever the subscripts were
END $$;
COMMENT ON FUNCTION modelhop.independent_constants(text[], real, real[]) IS
'What the values of each independent column are divided by.';

CREATE FUNCTION modelhop.pack_training_table(
  source regclass, source_table text, output text, summary text, output_table text, dependent_names text[],
  independent_names text[], buffer_size integer, normalizing_const real, num_classes integer[], num_segments integer,
  seed bigint, dependent_encoding text, independent_shape integer[], normalizing_consts real[], weight_names text[],
  distribution_rules text, rule_table regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- One segment where the summary has no column for their number, unless rules name segments.
  segments integer := coalesce(num_segments, CASE WHEN modelhop.madlib_columns() AND rule_table IS NULL THEN 1
                                             ELSE current_setting('modelhop.slots')::integer END);
  classes integer[] := ARRAY(SELECT unnest(num_classes));
  constants real[] := modelhop.independent_constants(independent_names, normalizing_const, normalizing_consts);
  distribution modelhop.distribution;
BEGIN
  PERFORM modelhop.check_packing_arguments(source, dependent_names, independent_names, weight_names, buffer_size,
                                           num_segments, independent_shape);
  PERFORM modelhop.refuse_own_column('normalizing_consts', normalizing_consts::text);
  PERFORM modelhop.refuse_own_column('dependent_encoding', nullif(dependent_encoding, 'float'));
  IF cardinality(classes) NOT IN (0, cardinality(dependent_names)) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument num_classes: %s has not one number for each of the %s dependent variables',
                       num_classes, cardinality(dependent_names)),
      HINT = 'Give NULL to count the classes.';
  ELSIF dependent_encoding NOT IN ('one_hot', 'class_id', 'float') THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument dependent_encoding: "%s" is unknown', dependent_encoding),
      HINT = 'Use ''one_hot'', ''class_id'' or ''float'', or NULL for what fits the type.';
  END IF;
  distribution := modelhop.make_distribution(distribution_rules, rule_table, segments);
  PERFORM modelhop.write_packed_table(
    source, source_table, output, summary, output_table,
    ARRAY(SELECT modelhop.examine_dependent(source, n, dependent_encoding, classes[i])
          FROM unnest(dependent_names) WITH ORDINALITY AS d(n, i) ORDER BY i),
    ARRAY(SELECT modelhop.examine_independent(source, n, independent_shape, constants[i])
          FROM unnest(independent_names) WITH ORDINALITY AS d(n, i) ORDER BY i),
    modelhop.examine_sample_weight(source, weight_names[1]), buffer_size, normalizing_const, distribution,
    coalesce(seed, floor(random() * 9007199254740992)::bigint));
END $$;
COMMENT ON FUNCTION modelhop.pack_training_table(regclass, text, text, text, text, text[], text[], integer, real,
  integer[], integer, bigint, text, integer[], real[], text[], text, regclass) IS
'Packs a training table whose names are resolved.';

CREATE FUNCTION modelhop.training_preprocessor_dl(
  source_table varchar, output_table varchar, dependent_varname varchar, independent_varname varchar,
  buffer_size integer DEFAULT NULL, normalizing_const real DEFAULT 1.0, num_classes integer[] DEFAULT NULL,
  distribution_rules text DEFAULT NULL, num_segments integer DEFAULT NULL, seed bigint DEFAULT NULL,
  dependent_encoding text DEFAULT NULL, independent_shape integer[] DEFAULT NULL,
  normalizing_consts real[] DEFAULT NULL, sample_weight_varname text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  source pg_catalog.regclass := modelhop.existing_table('source_table', source_table);
BEGIN
  PERFORM modelhop.pack_training_table(
    source, source_table, modelhop.free_output_table('output_table', output_table),
    modelhop.free_output_table('output_table', output_table, '_summary'), output_table,
    modelhop.column_names('dependent_varname', dependent_varname),
    modelhop.column_names('independent_varname', independent_varname), buffer_size,
    coalesce(normalizing_const, 1.0::pg_catalog.float4), num_classes, num_segments, seed, dependent_encoding,
    independent_shape, normalizing_consts, modelhop.optional_names('sample_weight_varname', sample_weight_varname),
    distribution_rules, modelhop.distribution_table(distribution_rules));
END $$;
COMMENT ON FUNCTION modelhop.training_preprocessor_dl(varchar, varchar, varchar, varchar, integer, real, integer[], text,
  integer, bigint, text, integer[], real[], text) IS
'Packs a table of examples, shuffled, into buffers for training. Lists of columns stand for the inputs and outputs of a model by their position; normalizing_consts has a constant for each independent column, sample_weight_varname says how much a row counts.';
