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

CREATE FUNCTION modelhop.fill_table(output regclass, query text) RETURNS bigint
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'modelhop_fill_table';
COMMENT ON FUNCTION modelhop.fill_table(regclass, text) IS
'INSERT INTO output query, with the query in a parallel worker where the server allows; returns the number of rows. Names in the query need their schema.';

-- The rows are numbered, sorted by a hash of their number and cut into buffers in one statement. The sorts carry
-- pointers to big values, not the values. The order depends on the seed and the order of the stored rows alone.
-- The innermost ORDER BY sorts nothing: it keeps the planner from numbering each partition by itself.
CREATE FUNCTION modelhop.fill_packed_table(source regclass, output text, variables modelhop.packed_variable[],
                                           num_rows bigint, num_buffers bigint, seed bigint,
                                           distribution modelhop.distribution) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET work_mem = '256MB' SET enable_hashagg = off
SET synchronize_seqscans = off
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
  PERFORM modelhop.fill_table(output, format(
    'SELECT %s, %s, buffer_id%s FROM ('
    '  SELECT %s, (%s)::integer AS buffer_id FROM ('
    '    SELECT %4$s, modelhop.next_number() - 1 AS position FROM ('
    '      SELECT * FROM (SELECT *, modelhop.next_number() AS ordinal FROM ('
    '        SELECT %6$s FROM %7$s s ORDER BY NULL::integer) stored) numbered '
    '      ORDER BY %8$s ordinal) shuffled) placed '
    '  ORDER BY buffer_id, position) cut '
    'GROUP BY buffer_id ORDER BY buffer_id', packs, shapes, weight_packs, aliases,
    modelhop.placed_buffer(buffer, distribution), inputs, source, sort_key));
  EXECUTE format('SELECT sum(%I[1]) FROM %s', variables[1].column_name || '_shape', output) INTO written;
  IF written <> num_rows THEN
    RAISE EXCEPTION USING ERRCODE = 'serialization_failure',
      MESSAGE = format('table %s was changed while it was packed', source), HINT = 'Call the function again.';
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.fill_packed_table(regclass, text, modelhop.packed_variable[], bigint, bigint, bigint,
  modelhop.distribution) IS
'Writes the buffers of a packed table, shuffled where a seed is given.';

CREATE FUNCTION modelhop.write_packed_summary(
  summary text, source_table text, output_table text, dependents modelhop.packed_variable[],
  independents modelhop.packed_variable[], weights modelhop.packed_variable[], buffer_size bigint,
  normalizing_const real, distribution modelhop.distribution, seed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- MADlib's types: a text for all segments, else arrays, of dbids and of content numbers.
  rules_type text := CASE WHEN distribution.segments IS NULL THEN 'text' ELSE 'integer[]' END;
  dbids integer[] := ARRAY(SELECT s + 2 FROM unnest(distribution.segments) s ORDER BY s);
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
    'CREATE TABLE %1$s (source_table text, output_table text, dependent_varname text[], independent_varname text[], '
    'dependent_vartype text[], %2$s, buffer_size integer, normalizing_const real, num_classes integer[], '
    'distribution_rules %3$s, __internal_gpu_config__ %3$s%4$s)',
    summary, class_columns, rules_type, own_columns);
  EXECUTE format(
    'INSERT INTO %s SELECT $1, $2, array_agg(d.column_name), $5, array_agg(d.sql_type), %s, $3, $4, '
    'CASE WHEN bool_and(d.num_classes IS NULL) THEN ARRAY[]::integer[] ELSE array_agg(d.num_classes) END, '
    '%L, %L%s FROM unnest($10) d',
    summary, class_values, CASE rules_type WHEN 'text' THEN 'all_segments' ELSE dbids::text END,
    coalesce(distribution.segments::text, 'all_segments'), own_values)
    USING source_table, output_table, buffer_size, normalizing_const,
      ARRAY(SELECT i.column_name FROM unnest(independents) i), ARRAY(SELECT i.element_type FROM unnest(independents) i),
      distribution.num_segments, independents[1].num_rows, seed, dependents,
      ARRAY(SELECT i.normalizing_const FROM unnest(independents) i), weights[1].column_name;
END $$;
COMMENT ON FUNCTION modelhop.write_packed_summary(text, text, text, modelhop.packed_variable[],
  modelhop.packed_variable[], modelhop.packed_variable[], bigint, real, modelhop.distribution, bigint) IS
'Writes the summary of a packed table.';

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
  buffer_size integer, normalizing_const real, distribution modelhop.distribution, seed bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  variables modelhop.packed_variable[] := independents || dependents || weights;
  num_rows bigint := independents[1].num_rows;
  row_bytes bigint := (SELECT sum(modelhop.element_count(v.shape) * CASE v.element_type WHEN 'uint8' THEN 1
                                  WHEN 'int16' THEN 2 ELSE 4 END) FROM unnest(variables) v);
  num_buffers bigint := modelhop.count_buffers(num_rows, row_bytes, buffer_size,
                                               coalesce(cardinality(distribution.segments), distribution.num_segments));
BEGIN
  PERFORM modelhop.create_packed_table(output, variables);
  PERFORM modelhop.fill_packed_table(source, output, variables, num_rows, num_buffers, seed, distribution);
  PERFORM modelhop.write_packed_summary(summary, source_table, output_table, dependents, independents, weights,
    ceil(num_rows / num_buffers::numeric)::bigint, normalizing_const, distribution, seed);
END $$;
COMMENT ON FUNCTION modelhop.write_packed_table(regclass, text, text, text, text, modelhop.packed_variable[],
  modelhop.packed_variable[], modelhop.packed_variable[], integer, real, modelhop.distribution, bigint) IS
'Writes a packed table and its summary from examined columns.';
