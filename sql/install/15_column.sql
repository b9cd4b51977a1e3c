-- Columns of examples: what their values hold, and how they will be packed.

CREATE TYPE modelhop.column_facts AS (num_rows bigint, shape integer[], element_type text, is_binary boolean);
COMMENT ON TYPE modelhop.column_facts IS
'What inspect_examples found: rows, shape of one example, narrowest element type that holds all values, whether all are 0 or 1.';

CREATE FUNCTION modelhop.inspect_step(internal, "any", tid, text) RETURNS internal
LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'modelhop_inspect_step';
COMMENT ON FUNCTION modelhop.inspect_step(internal, "any", tid, text) IS 'Transition function of inspect_examples.';
CREATE FUNCTION modelhop.inspect_result(internal) RETURNS modelhop.column_facts
LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'modelhop_inspect_result';
COMMENT ON FUNCTION modelhop.inspect_result(internal) IS 'Final function of inspect_examples.';
CREATE AGGREGATE modelhop.inspect_examples("any", tid, text)
(SFUNC = modelhop.inspect_step, STYPE = internal, FINALFUNC = modelhop.inspect_result);
COMMENT ON AGGREGATE modelhop.inspect_examples("any", tid, text) IS
'Checks the values of a column (value, ctid or NULL, column name): refuses NULL, NaN and values of different shapes, naming the row.';

CREATE FUNCTION modelhop.pack_step(internal, "any", text, real, bigint) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_pack_step';
COMMENT ON FUNCTION modelhop.pack_step(internal, "any", text, real, bigint) IS 'Transition function of pack_examples.';
CREATE FUNCTION modelhop.pack_one_hot_step(internal, integer, integer) RETURNS internal
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_pack_one_hot_step';
COMMENT ON FUNCTION modelhop.pack_one_hot_step(internal, integer, integer) IS 'Transition function of pack_one_hot.';
CREATE FUNCTION modelhop.pack_result(internal) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_pack_result';
COMMENT ON FUNCTION modelhop.pack_result(internal) IS 'Final function of pack_examples and pack_one_hot.';
CREATE AGGREGATE modelhop.pack_examples("any", text, real, bigint)
(SFUNC = modelhop.pack_step, STYPE = internal, FINALFUNC = modelhop.pack_result, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE);
COMMENT ON AGGREGATE modelhop.pack_examples("any", text, real, bigint) IS
'Examples one behind the other (value, element type uint8, int16 or float32, factor for float32, numbers in each value).';
CREATE AGGREGATE modelhop.pack_one_hot(integer, integer)
(SFUNC = modelhop.pack_one_hot_step, STYPE = internal, FINALFUNC = modelhop.pack_result, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE);
COMMENT ON AGGREGATE modelhop.pack_one_hot(integer, integer) IS
'One-hot rows of int16 one behind the other (number of the class from 1, number of classes).';

CREATE FUNCTION modelhop.next_number() RETURNS bigint
LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_next_number';
COMMENT ON FUNCTION modelhop.next_number() IS
'Counts from 1 how often its place in a query was reached: row_number() for fill_table, since the server keeps that out of workers. One process must run the whole plan, or numbers come twice.';

CREATE TYPE modelhop.packed_variable AS (
  column_name text, sql_type text, cast_type text, shape integer[], element_type text, num_rows bigint,
  encoding text, class_type text, class_values text, num_classes integer, normalizing_const real);
COMMENT ON TYPE modelhop.packed_variable IS
'A column as it will be packed. Independent ones have a constant that float32 values are divided by, sample weights the encoding weight.';

CREATE FUNCTION modelhop.element_count(shape integer[]) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  product bigint := 1;
  extent integer;
BEGIN
  FOREACH extent IN ARRAY shape LOOP
    IF extent IS NULL OR extent <= 0 THEN
      RETURN NULL;
    END IF;
    product := product * extent;
  END LOOP;
  RETURN product;
END $$;
COMMENT ON FUNCTION modelhop.element_count(integer[]) IS 'Product of the extents; NULL where one is not positive.';

CREATE FUNCTION modelhop.inspect_column(source regclass, column_name text) RETURNS modelhop.column_facts
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  facts modelhop.column_facts;
  place text := CASE WHEN (SELECT relkind FROM pg_class WHERE oid = source) IN ('r', 'p', 'm')
                THEN 's.ctid' ELSE 'NULL::tid' END;
BEGIN
  EXECUTE format('SELECT (f).* FROM (SELECT modelhop.inspect_examples(s.%I, %s, %L) AS f FROM %s s) i',
                 column_name, place, column_name, source) INTO facts;
  IF facts.num_rows IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument source_table: table %s is empty', source), HINT = 'Give a table with examples.';
  END IF;
  RETURN facts;
END $$;
COMMENT ON FUNCTION modelhop.inspect_column(regclass, text) IS
'Scans a column and refuses what cannot be packed.';

CREATE FUNCTION modelhop.describe_column(source regclass, column_name text) RETURNS modelhop.packed_variable
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (column_name, format_type(t.oid, NULL), format_type(t.oid, -1), NULL, NULL, NULL, NULL,
          CASE WHEN t.typcategory = 'A' THEN format_type(t.oid, -1) ELSE format_type(nullif(t.typarray, 0), -1) END,
          NULL, NULL, NULL)::modelhop.packed_variable
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = source AND a.attname = column_name AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION modelhop.describe_column(regclass, text) IS 'The types of a column, before its values are read.';

CREATE FUNCTION modelhop.examine_independent(source regclass, column_name text, given_shape integer[],
                                             normalizing_const real)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  variable modelhop.packed_variable := modelhop.describe_column(source, column_name);
  facts modelhop.column_facts := modelhop.inspect_column(source, column_name);
BEGIN
  IF modelhop.element_count(given_shape) IS DISTINCT FROM modelhop.element_count(facts.shape)
     AND given_shape IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument independent_shape: %s does not fit column "%s", whose examples have shape %s',
                       given_shape, column_name, facts.shape),
      HINT = 'The extents must be positive and multiply to the number of elements of one example.';
  END IF;
  variable.shape := coalesce(given_shape, facts.shape);
  -- MADlib's summary does not tell element types: all are float32.
  variable.element_type := CASE WHEN modelhop.madlib_columns() THEN 'float32' ELSE facts.element_type END;
  variable.num_rows := facts.num_rows;
  variable.normalizing_const := normalizing_const;
  RETURN variable;
END $$;
COMMENT ON FUNCTION modelhop.examine_independent(regclass, text, integer[], real) IS
'How an independent column is packed; refuses it where it cannot be.';

CREATE FUNCTION modelhop.examine_sample_weight(source regclass, column_name text) RETURNS modelhop.packed_variable[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  variable modelhop.packed_variable;
  wrong text;
BEGIN
  IF column_name IS NULL THEN
    RETURN '{}';
  END IF;
  variable := modelhop.describe_column(source, column_name);
  IF variable.cast_type NOT IN ('smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric') THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('argument sample_weight_varname: column "%s" is of type %s', column_name, variable.sql_type),
      HINT = 'Give a column with one number for each row.';
  END IF;
  variable.num_rows := (modelhop.inspect_column(source, column_name)).num_rows;
  EXECUTE format('SELECT s.%1$I::text FROM %2$s s WHERE s.%1$I < 0 LIMIT 1', column_name, source) INTO wrong;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument sample_weight_varname: column "%s" holds %s, which is negative', column_name, wrong),
      HINT = 'A weight says how much a row counts: 0 leaves it out.';
  END IF;
  variable.shape := '{1}';
  variable.element_type := 'float32';
  variable.encoding := 'weight';
  RETURN ARRAY[variable];
END $$;
COMMENT ON FUNCTION modelhop.examine_sample_weight(regclass, text) IS
'The column of sample weights as it is packed, in a list; an empty list where there is none.';

CREATE FUNCTION modelhop.examine_numbers(source regclass, variable modelhop.packed_variable, encoding text)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  facts modelhop.column_facts := modelhop.inspect_column(source, variable.column_name);
  is_whole boolean := facts.is_binary OR facts.element_type <> 'float32';
BEGIN
  IF encoding = 'class_id' OR (encoding = 'one_hot' AND NOT is_whole) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument dependent_encoding: "%s" does not fit column "%s" of type %s', encoding,
                       variable.column_name, variable.sql_type),
      HINT = 'An array is packed as given: use NULL or ''float''.';
  ELSIF encoding IS NULL AND NOT is_whole AND variable.cast_type IN ('integer[]', 'bigint[]') THEN
    RAISE EXCEPTION USING ERRCODE = 'numeric_value_out_of_range',
      MESSAGE = format('column "%s" holds integers that do not fit 16 bits', variable.column_name),
      HINT = 'Use dependent_encoding => ''float''.';
  END IF;
  variable.shape := facts.shape;
  variable.element_type := CASE WHEN is_whole AND encoding IS DISTINCT FROM 'float' THEN 'int16' ELSE 'float32' END;
  variable.encoding := CASE variable.element_type WHEN 'int16' THEN 'one_hot' ELSE 'float' END;
  variable.num_rows := facts.num_rows;
  RETURN variable;
END $$;
COMMENT ON FUNCTION modelhop.examine_numbers(regclass, modelhop.packed_variable, text) IS
'How a dependent column of numbers is packed as it is given.';

CREATE FUNCTION modelhop.find_classes(source regclass, variable modelhop.packed_variable, wanted integer)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
DECLARE
  max_classes CONSTANT integer := 32767;
  found integer;
BEGIN
  IF variable.class_type IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch',
      MESSAGE = format('column "%s" of type %s cannot hold classes', variable.column_name, variable.sql_type);
  END IF;
  EXECUTE format(
    'SELECT count(*), (array_agg(v ORDER BY v NULLS FIRST) '
    '  || array_fill(NULL::%s, ARRAY[greatest($1 - count(*), 0)::integer]))::text '
    'FROM (SELECT DISTINCT s.%I AS v FROM %s s LIMIT $2) d', variable.cast_type, variable.column_name, source)
    INTO found, variable.class_values USING coalesce(wanted, 0), max_classes + 1;
  IF found = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument source_table: table %s is empty', source), HINT = 'Give a table with examples.';
  ELSIF greatest(found, wanted) > max_classes THEN
    RAISE EXCEPTION USING ERRCODE = 'program_limit_exceeded',
      MESSAGE = format('column "%s" would have more than %s classes', variable.column_name, max_classes),
      HINT = 'For a regression use dependent_encoding => ''float''.';
  ELSIF wanted < found THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument num_classes: %s, but column "%s" has %s classes', wanted, variable.column_name, found),
      HINT = 'Give at least the number of distinct values, or NULL.';
  ELSIF greatest(found, wanted) < 2 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('column "%s" has one class only: %s', variable.column_name, variable.class_values),
      HINT = 'There is nothing to learn; give num_classes where other classes exist elsewhere.';
  ELSIF variable.cast_type IN ('real', 'double precision', 'numeric')
        AND variable.class_values::text[] && ARRAY['NaN', 'Infinity', '-Infinity'] THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('column "%s" holds NaN or infinity', variable.column_name),
      HINT = 'Remove the rows, or make the label NULL: it is a class of its own.';
  END IF;
  variable.num_classes := greatest(found, wanted);
  RETURN variable;
END $$;
COMMENT ON FUNCTION modelhop.find_classes(regclass, modelhop.packed_variable, integer) IS
'The sorted classes of a column, NULL first where it is one, padded with NULL.';

CREATE FUNCTION modelhop.is_array(variable modelhop.packed_variable) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT variable.cast_type = variable.class_type $$;
COMMENT ON FUNCTION modelhop.is_array(modelhop.packed_variable) IS 'Whether the column holds arrays.';

CREATE FUNCTION modelhop.encode_classes(variable modelhop.packed_variable, encoding text)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  variable.encoding := encoding;
  variable.element_type := 'int16';
  variable.shape := ARRAY[CASE encoding WHEN 'one_hot' THEN variable.num_classes ELSE 1 END];
  RETURN variable;
END $$;
COMMENT ON FUNCTION modelhop.encode_classes(modelhop.packed_variable, text) IS 'The packed form of a column of classes.';

CREATE FUNCTION modelhop.examine_dependent(source regclass, column_name text, encoding text, wanted integer)
RETURNS modelhop.packed_variable
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  variable modelhop.packed_variable := modelhop.describe_column(source, column_name);
BEGIN
  IF modelhop.is_array(variable) OR encoding = 'float' THEN
    RETURN modelhop.examine_numbers(source, variable, encoding);
  END IF;
  RETURN modelhop.encode_classes(modelhop.find_classes(source, variable, wanted), coalesce(encoding, 'one_hot'));
END $$;
COMMENT ON FUNCTION modelhop.examine_dependent(regclass, text, text, integer) IS
'How a dependent column of a training table is packed; refuses it where it cannot be.';

CREATE FUNCTION modelhop.check_known_classes(source regclass, variable modelhop.packed_variable) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  unknown text;
  found_unknown bigint;
BEGIN
  -- A NULL behind the first place of the list is padding, not a class.
  EXECUTE format(
    'SELECT s.%1$I::text FROM %2$s s '
    'WHERE CASE WHEN s.%1$I IS NULL THEN %5$L ELSE array_position(%3$L::%4$s, s.%1$I) IS NULL END LIMIT 1',
    variable.column_name, source, variable.class_values, variable.class_type,
    (variable.class_values::text[])[1] IS NOT NULL) INTO unknown;
  GET DIAGNOSTICS found_unknown = ROW_COUNT;
  IF found_unknown > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('column "%s": value %s is not a class of the training table', variable.column_name,
                       coalesce(quote_literal(unknown), 'NULL')),
      HINT = 'The classes are listed in the summary of the training table.';
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.check_known_classes(regclass, modelhop.packed_variable) IS
'Refuses a label that is not among the classes.';

CREATE FUNCTION modelhop.packing_expression(variable modelhop.packed_variable, alias text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
  SELECT CASE
    WHEN variable.class_values IS NULL THEN
      format('modelhop.pack_examples(%I, %L, %L::real, %s)', alias, variable.element_type,
             CASE WHEN variable.element_type = 'float32' AND abs(variable.normalizing_const - 1) >= 1e-6
                  THEN (1 / variable.normalizing_const)::real ELSE 1::real END,
             modelhop.element_count(variable.shape))
    WHEN variable.encoding = 'class_id' THEN
      format('modelhop.pack_examples(array_position(%L::%s, %I) - 1, ''int16'', 1::real, 1)', variable.class_values,
             variable.class_type, alias)
    ELSE
      format('modelhop.pack_one_hot(array_position(%L::%s, %I), %s)', variable.class_values, variable.class_type, alias,
             variable.num_classes)
    END
$$;
COMMENT ON FUNCTION modelhop.packing_expression(modelhop.packed_variable, text) IS
'The aggregate call that packs a column.';
