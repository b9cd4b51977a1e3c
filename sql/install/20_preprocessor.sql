-- Packed tables: rows of many examples, made from a table of single ones.

CREATE FUNCTION modelhop.create_packed_table(output text, variables modelhop.packed_variable[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  columns text;
  storage text;
BEGIN
  -- MADlib's columns in MADlib's order, then the weights.
  SELECT concat_ws(', ', string_agg(format('%I bytea', column_name), ', ') FILTER (WHERE NOT is_weight),
                   string_agg(format('%I integer[]', column_name || '_shape'), ', ') FILTER (WHERE NOT is_weight),
                   'buffer_id integer', string_agg(format('%I bytea', column_name), ', ') FILTER (WHERE is_weight)),
    string_agg(format('ALTER %I SET STORAGE EXTERNAL', column_name), ', ')
    INTO columns, storage FROM (SELECT v.*, v.encoding IS NOT DISTINCT FROM 'weight' AS is_weight FROM unnest(variables) v) w;
  EXECUTE format('CREATE TABLE %s (%s)', output, columns);
  -- The bytes hardly compress, and reading them should not have to try.
  EXECUTE format('ALTER TABLE %s %s', output, storage);
END $$;
COMMENT ON FUNCTION modelhop.create_packed_table(text, modelhop.packed_variable[]) IS 'Makes an empty packed table.';

-- The rows are numbered, sorted by a hash of their number and cut into buffers in one statement. The sorts carry
-- pointers to big values, not the values. The order depends on the seed and the order of the stored rows alone.
CREATE FUNCTION modelhop.fill_packed_table(source regclass, output text, variables modelhop.packed_variable[],
                                           num_rows bigint, num_buffers bigint, seed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET work_mem = '256MB' SET enable_hashagg = off
SET synchronize_seqscans = off SET max_parallel_workers_per_gather = 0
AS $$
DECLARE
  rows_a_buffer bigint := ceil(num_rows / num_buffers::numeric);
  -- Full buffers and a short last one, as MADlib cuts them, unless that would make fewer buffers than there should be.
  buffer text := CASE WHEN ceil(num_rows / rows_a_buffer::numeric) = num_buffers
                 THEN format('position / %s', rows_a_buffer)
                 ELSE format('position * %s / %s', num_buffers, num_rows) END;
  sort_key text := coalesce('hashint8extended(ordinal, ' || seed || '), ', '');
  inputs text;
  aliases text;
  packs text;
  weight_packs text;
  shapes text;
  written bigint;
BEGIN
  SELECT string_agg(format('s.%I AS v%s', (variables[i]).column_name, i), ', '), string_agg('v' || i, ', '),
    string_agg(modelhop.packing_expression(variables[i], 'v' || i), ', ' ORDER BY i)
      FILTER (WHERE (variables[i]).encoding IS DISTINCT FROM 'weight'),
    string_agg(', ' || modelhop.packing_expression(variables[i], 'v' || i), '' ORDER BY i)
      FILTER (WHERE (variables[i]).encoding = 'weight'),
    string_agg(format('count(*)::integer || %L::integer[]', (variables[i]).shape), ', ' ORDER BY i)
      FILTER (WHERE (variables[i]).encoding IS DISTINCT FROM 'weight')
    INTO inputs, aliases, packs, weight_packs, shapes FROM generate_subscripts(variables, 1) i;
  EXECUTE format(
    'INSERT INTO %s SELECT %s, %s, buffer_id%s FROM ('
    '  SELECT %s, (%s)::integer AS buffer_id FROM ('
    '    SELECT %5$s, row_number() OVER (ORDER BY %7$s ordinal) - 1 AS position FROM ('
    '      SELECT %8$s, row_number() OVER () AS ordinal FROM %9$s s) numbered) placed '
    '  ORDER BY buffer_id, position) cut '
    'GROUP BY buffer_id ORDER BY buffer_id', output, packs, shapes, weight_packs, aliases, buffer, sort_key, inputs, source);
  EXECUTE format('SELECT sum(%I[1]) FROM %s', variables[1].column_name || '_shape', output) INTO written;
  IF written <> num_rows THEN
    RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
      MESSAGE = format('table %s was changed while it was packed', source), HINT = 'Call the function again.';
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.fill_packed_table(regclass, text, modelhop.packed_variable[], bigint, bigint, bigint) IS
'Writes the buffers of a packed table, shuffled where a seed is given.';

CREATE FUNCTION modelhop.write_packed_summary(
  summary text, source_table text, output_table text, dependents modelhop.packed_variable[],
  independents modelhop.packed_variable[], weights modelhop.packed_variable[], buffer_size bigint,
  normalizing_const real, num_segments integer, seed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  class_columns text;
  class_values text;
  own_columns text := CASE WHEN modelhop.madlib_columns() THEN '' ELSE
    ', independent_element_type text[], dependent_element_type text[], dependent_encoding text[], num_segments integer, '
    'num_rows bigint, seed bigint, normalizing_consts real[], sample_weight_varname text' END;
  own_values text := CASE WHEN modelhop.madlib_columns() THEN '' ELSE
    ', $6, array_agg(d.element_type), array_agg(d.encoding), $7, $8, $9, $11, $12' END;
BEGIN
  SELECT string_agg(format('%I %s', d.column_name || '_class_values', coalesce(d.class_type, 'text[]')), ', '),
    string_agg(format('%L', d.class_values), ', ')
    INTO class_columns, class_values FROM unnest(dependents) d;
  EXECUTE format(
    'CREATE TABLE %s (source_table text, output_table text, dependent_varname text[], independent_varname text[], '
    'dependent_vartype text[], %s, buffer_size integer, normalizing_const real, num_classes integer[], '
    'distribution_rules text, __internal_gpu_config__ text%s)',
    summary, class_columns, own_columns);
  EXECUTE format(
    'INSERT INTO %s SELECT $1, $2, array_agg(d.column_name), $5, array_agg(d.sql_type), %s, $3, $4, '
    'CASE WHEN bool_and(d.num_classes IS NULL) THEN ARRAY[]::integer[] ELSE array_agg(d.num_classes) END, '
    '%L, %3$L%s FROM unnest($10) d',
    summary, class_values, 'all_segments', own_values)
    USING source_table, output_table, buffer_size, normalizing_const,
      ARRAY(SELECT i.column_name FROM unnest(independents) i), ARRAY(SELECT i.element_type FROM unnest(independents) i),
      num_segments, independents[1].num_rows, seed, dependents,
      ARRAY(SELECT i.normalizing_const FROM unnest(independents) i), weights[1].column_name;
END $$;
COMMENT ON FUNCTION modelhop.write_packed_summary(text, text, text, modelhop.packed_variable[],
  modelhop.packed_variable[], modelhop.packed_variable[], bigint, real, integer, bigint) IS 'Writes the summary of a packed table.';

CREATE FUNCTION modelhop.count_buffers(num_rows bigint, row_bytes bigint, buffer_size integer, num_segments integer)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  best_bytes CONSTANT bigint := 524288;
  max_bytes CONSTANT bigint := 1073741823 - 4;
  wanted bigint := coalesce(buffer_size, greatest(best_bytes / row_bytes, 1));
  num_buffers bigint := least(num_rows, num_segments * ceil(ceil(num_rows / wanted::numeric) / num_segments));
BEGIN
  IF ceil(num_rows / num_buffers::numeric) * row_bytes > max_bytes THEN
    RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded',
      MESSAGE = format('argument buffer_size: %s examples of %s bytes make a buffer larger than 1 GB', wanted, row_bytes),
      HINT = 'Choose a smaller buffer_size, or NULL.';
  END IF;
  RETURN num_buffers;
END $$;
COMMENT ON FUNCTION modelhop.count_buffers(bigint, bigint, integer, integer) IS
'How many buffers a packed table gets: a multiple of the segments where the rows allow.';

CREATE FUNCTION modelhop.write_packed_table(
  source regclass, source_table text, output text, summary text, output_table text,
  dependents modelhop.packed_variable[], independents modelhop.packed_variable[], weights modelhop.packed_variable[],
  buffer_size integer, normalizing_const real, num_segments integer, seed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  variables modelhop.packed_variable[] := independents || dependents || weights;
  num_rows bigint := independents[1].num_rows;
  row_bytes bigint := (SELECT sum(modelhop.element_count(v.shape) * CASE v.element_type WHEN 'uint8' THEN 1
                                  WHEN 'int16' THEN 2 ELSE 4 END) FROM unnest(variables) v);
  num_buffers bigint := modelhop.count_buffers(num_rows, row_bytes, buffer_size, num_segments);
BEGIN
  PERFORM modelhop.create_packed_table(output, variables);
  PERFORM modelhop.fill_packed_table(source, output, variables, num_rows, num_buffers, seed);
  PERFORM modelhop.write_packed_summary(summary, source_table, output_table, dependents, independents, weights,
    ceil(num_rows / num_buffers::numeric)::bigint, normalizing_const, num_segments, seed);
END $$;
COMMENT ON FUNCTION modelhop.write_packed_table(regclass, text, text, text, text, modelhop.packed_variable[],
  modelhop.packed_variable[], modelhop.packed_variable[], integer, real, integer, bigint) IS 'Writes a packed table and its summary from examined columns.';

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
  RETURN normalizing_consts;
END $$;
COMMENT ON FUNCTION modelhop.independent_constants(text[], real, real[]) IS
'What the values of each independent column are divided by.';

CREATE FUNCTION modelhop.pack_training_table(
  source regclass, source_table text, output text, summary text, output_table text, dependent_names text[],
  independent_names text[], buffer_size integer, normalizing_const real, num_classes integer[], num_segments integer,
  seed bigint, dependent_encoding text, independent_shape integer[], normalizing_consts real[], weight_names text[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- One segment where the summary has no column for their number.
  segments integer := coalesce(num_segments, CASE WHEN modelhop.madlib_columns() THEN 1
                                             ELSE current_setting('modelhop.slots')::integer END);
  constants real[] := modelhop.independent_constants(independent_names, normalizing_const, normalizing_consts);
BEGIN
  PERFORM modelhop.check_packing_arguments(source, dependent_names, independent_names, weight_names, buffer_size,
                                           num_segments, independent_shape);
  PERFORM modelhop.refuse_own_column('normalizing_consts', normalizing_consts::text);
  PERFORM modelhop.refuse_own_column('dependent_encoding', nullif(dependent_encoding, 'float'));
  IF cardinality(num_classes) NOT IN (0, cardinality(dependent_names)) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument num_classes: %s has not one number for each of the %s dependent variables',
                       num_classes, cardinality(dependent_names)),
      HINT = 'Give NULL to count the classes.';
  ELSIF dependent_encoding NOT IN ('one_hot', 'class_id', 'float') THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument dependent_encoding: "%s" is unknown', dependent_encoding),
      HINT = 'Use ''one_hot'', ''class_id'' or ''float'', or NULL for what fits the type.';
  END IF;
  PERFORM modelhop.write_packed_table(
    source, source_table, output, summary, output_table,
    ARRAY(SELECT modelhop.examine_dependent(source, n, dependent_encoding, num_classes[i])
          FROM unnest(dependent_names) WITH ORDINALITY AS d(n, i) ORDER BY i),
    ARRAY(SELECT modelhop.examine_independent(source, n, independent_shape, constants[i])
          FROM unnest(independent_names) WITH ORDINALITY AS d(n, i) ORDER BY i),
    modelhop.examine_sample_weight(source, weight_names[1]), buffer_size, normalizing_const, segments,
    coalesce(seed, floor(random() * 9007199254740992)::bigint));
END $$;
COMMENT ON FUNCTION modelhop.pack_training_table(regclass, text, text, text, text, text[], text[], integer, real,
  integer[], integer, bigint, text, integer[], real[], text[]) IS 'Packs a training table whose names are resolved.';

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
    independent_shape, normalizing_consts, modelhop.optional_names('sample_weight_varname', sample_weight_varname));
END $$;
COMMENT ON FUNCTION modelhop.training_preprocessor_dl(varchar, varchar, varchar, varchar, integer, real, integer[], text,
  integer, bigint, text, integer[], real[], text) IS
'Packs a table of examples, shuffled, into buffers for training. Lists of columns stand for the inputs and outputs of a model by their position; normalizing_consts has a constant for each independent column, sample_weight_varname says how much a row counts.';

CREATE FUNCTION modelhop.read_training_variable(training regclass, summary regclass, i integer)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
DECLARE
  variable modelhop.packed_variable;
  row_bytes bigint;
BEGIN
  EXECUTE format('SELECT dependent_varname[$1], dependent_vartype[$1], num_classes[$1], '
                 'to_jsonb(s) -> %L ->> ($1 - 1), to_jsonb(s) -> %L ->> ($1 - 1) FROM %s s', 'dependent_encoding',
                 'dependent_element_type', summary)
    INTO STRICT variable.column_name, variable.sql_type, variable.num_classes, variable.encoding, variable.element_type
    USING i;
  EXECUTE format('SELECT %I::text FROM %s', variable.column_name || '_class_values', summary) INTO variable.class_values;
  EXECUTE format('SELECT %I[2:], octet_length(%I) / %1$I[1] FROM %3$s LIMIT 1', variable.column_name || '_shape',
                 variable.column_name, training) INTO variable.shape, row_bytes;
  -- A summary with MADlib's columns alone tells by the bytes of an element: MADlib writes 16-bit integers.
  IF variable.element_type IS NULL THEN
    variable.element_type := CASE WHEN row_bytes = 4 * modelhop.element_count(variable.shape) THEN 'float32' ELSE 'int16' END;
    variable.encoding := CASE variable.element_type WHEN 'int16' THEN 'one_hot' ELSE 'float' END;
  END IF;
  RETURN variable;
END $$;
COMMENT ON FUNCTION modelhop.read_training_variable(regclass, regclass, integer) IS
'A dependent variable of a training table, by its number.';

CREATE FUNCTION modelhop.examine_validation_dependent(source regclass, column_name text,
                                                      training modelhop.packed_variable)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  variable modelhop.packed_variable := modelhop.describe_column(source, column_name);
BEGIN
  IF variable.sql_type <> training.sql_type
     AND NOT (modelhop.is_array(variable) AND training.encoding = 'one_hot') THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('column "%s" is of type %s, but of type %s in the training table', column_name,
                       variable.sql_type, training.sql_type),
      HINT = 'Cast the column in a view, or give one-hot arrays.';
  END IF;
  IF training.class_values IS NULL OR modelhop.is_array(variable) THEN
    variable := modelhop.examine_numbers(source, variable, training.encoding);
    IF variable.shape <> training.shape THEN
      RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
        MESSAGE = format('column "%s" has shape %s, but %s in the training table', column_name, variable.shape,
                         training.shape),
        HINT = 'Both tables must describe the same outputs.';
    END IF;
    RETURN variable;
  END IF;
  variable.class_values := training.class_values;
  variable.num_classes := training.num_classes;
  PERFORM modelhop.check_known_classes(source, variable);
  RETURN modelhop.encode_classes(variable, training.encoding);
END $$;
COMMENT ON FUNCTION modelhop.examine_validation_dependent(regclass, text, modelhop.packed_variable) IS
'How a dependent column of a validation table is packed: as that of its training table.';

CREATE FUNCTION modelhop.examine_validation_independent(source regclass, column_name text, given_shape integer[],
                                                        training_shape integer[], normalizing_const real)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  variable modelhop.packed_variable := modelhop.examine_independent(source, column_name, given_shape, normalizing_const);
BEGIN
  -- Bytes have no dimensions of their own.
  IF given_shape IS NULL AND variable.cast_type = 'bytea'
     AND modelhop.element_count(variable.shape) = modelhop.element_count(training_shape) THEN
    variable.shape := training_shape;
  END IF;
  IF variable.shape <> training_shape THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('column "%s" has shape %s, but %s in the training table', column_name, variable.shape,
                       training_shape),
      HINT = 'Give examples of the same shape, or independent_shape where only the dimensions differ.';
  END IF;
  RETURN variable;
END $$;
COMMENT ON FUNCTION modelhop.examine_validation_independent(regclass, text, integer[], integer[], real) IS
'How an independent column of a validation table is packed; refuses another shape than the training table has.';

CREATE FUNCTION modelhop.training_shapes(training regclass, names text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shapes text[];
BEGIN
  EXECUTE (SELECT format('SELECT ARRAY[%s] FROM %s LIMIT 1',
                         string_agg(format('%I[2:]::text', n || '_shape'), ', ' ORDER BY i), training)
           FROM unnest(names) WITH ORDINALITY AS u(n, i)) INTO shapes;
  IF shapes IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument training_preprocessor_table: table %s has no rows', training),
      HINT = 'Name the output of training_preprocessor_dl.';
  END IF;
  RETURN shapes;
END $$;
COMMENT ON FUNCTION modelhop.training_shapes(regclass, text[]) IS
'Shapes of one example of a packed table''s variables, as text.';

CREATE FUNCTION modelhop.pack_validation_table(
  source regclass, source_table text, output text, summary text, output_table text, dependent_names text[],
  independent_names text[], training regclass, training_summary regclass, buffer_size integer, num_segments integer,
  independent_shape integer[], weight_names text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
DECLARE
  of_training record;
  shapes text[];
BEGIN
  PERFORM modelhop.check_packing_arguments(source, dependent_names, independent_names, weight_names, buffer_size,
                                           num_segments, independent_shape);
  PERFORM modelhop.check_columns('training_preprocessor_table', training_summary,
    ARRAY['dependent_varname', 'independent_varname', 'dependent_vartype', 'normalizing_const', 'num_classes'],
    'Name the output of training_preprocessor_dl.');
  EXECUTE format('SELECT dependent_varname, independent_varname, coalesce(normalizing_const, 1) AS normalizing_const, '
                 'to_jsonb(s) -> %L AS normalizing_consts, (to_jsonb(s) ->> %L)::integer AS num_segments FROM %s s',
                 'normalizing_consts', 'num_segments', training_summary) INTO of_training;
  IF cardinality(of_training.dependent_varname) IS DISTINCT FROM cardinality(dependent_names)
     OR cardinality(of_training.independent_varname) IS DISTINCT FROM cardinality(independent_names) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('the training table has the variables %s and %s', of_training.dependent_varname,
                       of_training.independent_varname),
      HINT = 'Name as many dependent and independent variables as the training table has.';
  END IF;
  PERFORM modelhop.check_columns('training_preprocessor_table', training,
    ARRAY(SELECT n || '_shape' FROM unnest(of_training.dependent_varname || of_training.independent_varname) n),
    'Name the output of training_preprocessor_dl.');
  shapes := modelhop.training_shapes(training, of_training.independent_varname);
  PERFORM modelhop.write_packed_table(
    source, source_table, output, summary, output_table,
    ARRAY(SELECT modelhop.examine_validation_dependent(
            source, n, modelhop.read_training_variable(training, training_summary, i::integer))
          FROM unnest(dependent_names) WITH ORDINALITY AS d(n, i) ORDER BY i),
    ARRAY(SELECT modelhop.examine_validation_independent(source, n, independent_shape, shapes[i]::integer[],
                                                          coalesce((of_training.normalizing_consts ->> (i - 1)::integer)::real,
                                                                   of_training.normalizing_const))
          FROM unnest(independent_names) WITH ORDINALITY AS d(n, i) ORDER BY i),
    modelhop.examine_sample_weight(source, weight_names[1]), buffer_size, of_training.normalizing_const,
    CASE WHEN modelhop.madlib_columns() THEN 1 ELSE coalesce(num_segments, of_training.num_segments, 1) END, NULL);
END $$;
COMMENT ON FUNCTION modelhop.pack_validation_table(regclass, text, text, text, text, text[], text[], regclass, regclass,
  integer, integer, integer[], text[]) IS 'Packs a validation table whose names are resolved.';

CREATE FUNCTION modelhop.validation_preprocessor_dl(
  source_table varchar, output_table varchar, dependent_varname varchar, independent_varname varchar,
  training_preprocessor_table varchar, buffer_size integer DEFAULT NULL, distribution_rules text DEFAULT NULL,
  num_segments integer DEFAULT NULL, independent_shape integer[] DEFAULT NULL,
  sample_weight_varname text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  source pg_catalog.regclass := modelhop.existing_table('source_table', source_table);
BEGIN
  PERFORM modelhop.pack_validation_table(
    source, source_table, modelhop.free_output_table('output_table', output_table),
    modelhop.free_output_table('output_table', output_table, '_summary'), output_table,
    modelhop.column_names('dependent_varname', dependent_varname),
    modelhop.column_names('independent_varname', independent_varname),
    modelhop.existing_table('training_preprocessor_table', training_preprocessor_table),
    modelhop.existing_table('training_preprocessor_table', training_preprocessor_table, '_summary'), buffer_size,
    num_segments, independent_shape, modelhop.optional_names('sample_weight_varname', sample_weight_varname));
END $$;
COMMENT ON FUNCTION modelhop.validation_preprocessor_dl(varchar, varchar, varchar, varchar, varchar, integer, text,
  integer, integer[], text) IS
'Packs a table of examples in its own order, encoded as the training table is, for validation and evaluation.';
