-- The preprocessor of validation tables, which are encoded as their training table is.

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
      MESSAGE = format('argument training_preprocessor_table: table %s is empty', training),
      HINT = 'Name the output of training_preprocessor_dl.';
  END IF;
  RETURN shapes;
END $$;
COMMENT ON FUNCTION modelhop.training_shapes(regclass, text[]) IS
'Shapes of one example of a packed table''s variables, as text.';

CREATE FUNCTION modelhop.pack_validation_table(
  source regclass, source_table text, output text, summary text, output_table text, dependent_names text[],
  independent_names text[], training regclass, training_summary regclass, buffer_size integer, num_segments integer,
  independent_shape integer[], weight_names text[], distribution_rules text, rule_table regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
DECLARE
  of_training record;
  shapes text[];
  distribution modelhop.distribution;
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
  distribution := modelhop.make_distribution(distribution_rules, rule_table,
    CASE WHEN rule_table IS NULL THEN CASE WHEN modelhop.madlib_columns() THEN 1
                                      ELSE coalesce(num_segments, of_training.num_segments, 1) END
    ELSE coalesce(num_segments, of_training.num_segments, current_setting('modelhop.slots')::integer) END);
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
    distribution, NULL);
END $$;
COMMENT ON FUNCTION modelhop.pack_validation_table(regclass, text, text, text, text, text[], text[], regclass, regclass,
  integer, integer, integer[], text[], text, regclass) IS 'Packs a validation table whose names are resolved.';

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
    num_segments, independent_shape, modelhop.optional_names('sample_weight_varname', sample_weight_varname),
    distribution_rules, modelhop.distribution_table(distribution_rules));
END $$;
COMMENT ON FUNCTION modelhop.validation_preprocessor_dl(varchar, varchar, varchar, varchar, varchar, integer, text,
  integer, integer[], text) IS
'Packs a table of examples in its own order, encoded as the training table is, for validation and evaluation.';
