-- Help at the prompt. Signatures come from the catalog, so that they cannot be wrong; the words are the rows of these
-- tables, which the fragments behind this one fill.

CREATE TABLE modelhop.help_function (
  function_name text PRIMARY KEY,
  topic text NOT NULL,
  has_overloads boolean NOT NULL,  -- whether the function itself answers without arguments or to a message
  purpose text NOT NULL,
  output text NOT NULL,
  example_steps text[] NOT NULL,   -- what the example needs before it
  example text NOT NULL
);
GRANT SELECT ON modelhop.help_function TO PUBLIC;
COMMENT ON TABLE modelhop.help_function IS 'The functions that people call: what they do, what they write, and an example.';

CREATE TABLE modelhop.help_argument (
  function_name text NOT NULL,     -- empty: every function without a row of its own
  argument text NOT NULL,
  meaning text NOT NULL,
  PRIMARY KEY (function_name, argument)
);
GRANT SELECT ON modelhop.help_argument TO PUBLIC;
COMMENT ON TABLE modelhop.help_argument IS 'What the arguments of functions mean.';

CREATE TABLE modelhop.help_example_step (step text PRIMARY KEY, place integer NOT NULL UNIQUE, script text NOT NULL);
GRANT SELECT ON modelhop.help_example_step TO PUBLIC;
COMMENT ON TABLE modelhop.help_example_step IS 'What several examples begin with.';

CREATE FUNCTION modelhop.help_calls(function_name text, shown_name text) RETURNS SETOF oid
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  shown text[] := parse_ident(shown_name);
BEGIN
  RETURN QUERY
    WITH wanted AS (
      -- The function under its shown name where there is one: a wrapper may take fewer arguments.
      SELECT p.oid, p.proname, p.pronargs, p.proargnames, n.nspname,
        n.nspname = shown[1] AND p.proname = shown[2] AS is_shown
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE (n.nspname = 'modelhop' AND p.proname = function_name)
         OR (n.nspname = shown[1] AND p.proname = shown[2])),
    without_help AS (
      SELECT w.oid, w.is_shown FROM wanted w
      WHERE NOT ((SELECT f.has_overloads FROM modelhop.help_function f WHERE f.function_name = help_calls.function_name)
                 AND (w.pronargs = 0 OR w.proargnames = ARRAY['message'])))
    SELECT w.oid FROM without_help w
    WHERE w.is_shown OR NOT EXISTS (SELECT FROM without_help o WHERE o.is_shown) ORDER BY w.oid;
END $$;
COMMENT ON FUNCTION modelhop.help_calls(text, text) IS
'The forms in which a function can be called, without those that give help.';

CREATE FUNCTION modelhop.help_parameters(call oid)
RETURNS TABLE (place integer, name text, type text, default_value text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT a.place::integer, p.proargnames[a.place], replace(format_type(a.type, NULL), 'character varying', 'varchar'),
    regexp_replace(pg_get_function_arg_default(p.oid, a.place::integer), '::[a-z ]+(\[\])?', '', 'g')
  FROM pg_proc p, unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(type, place)
  WHERE p.oid = call ORDER BY a.place
$$;
COMMENT ON FUNCTION modelhop.help_parameters(oid) IS 'The parameters of one form of a function, as the catalog has them.';

CREATE FUNCTION modelhop.help_signature(call oid, shown_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format(E'  %s(%s)\n      returns %s', shown_name, coalesce(string_agg(l.line, E',\n      ' ORDER BY l.number), ''),
                replace(pg_get_function_result(call), 'character varying', 'varchar'))
  FROM (SELECT (p.place - 1) / 3 AS number,
          string_agg(concat_ws(' ', p.name, p.type, 'DEFAULT ' || p.default_value), ', ' ORDER BY p.place) AS line
        FROM modelhop.help_parameters(call) p GROUP BY 1) l
$$;
COMMENT ON FUNCTION modelhop.help_signature(oid, text) IS 'One form of a function in words of SQL.';

CREATE FUNCTION modelhop.help_meanings(function_name text, shown_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  WITH parameter AS (
    SELECT p.name, min(p.place) AS place, string_agg(DISTINCT p.type, ' | ') AS types, min(p.default_value) AS default_value
    FROM modelhop.help_calls(function_name, shown_name) c, modelhop.help_parameters(c) p GROUP BY p.name)
  SELECT string_agg(format(E'  %s %s%s\n      %s', p.name, p.types, ', default ' || p.default_value,
      replace(coalesce((SELECT a.meaning FROM modelhop.help_argument a
                        WHERE a.argument = p.name AND a.function_name IN (help_meanings.function_name, '')
                        ORDER BY a.function_name DESC LIMIT 1), ''), E'\n', E'\n      ')), E'\n' ORDER BY p.place)
  FROM parameter p
$$;
COMMENT ON FUNCTION modelhop.help_meanings(text, text) IS 'The arguments of a function with types, defaults and meanings.';

CREATE FUNCTION modelhop.help_usage(function_name text, shown_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT concat_ws(E'\n\n', f.purpose,
    E'Usage\n' || (SELECT string_agg(modelhop.help_signature(c, shown_name), E'\n')
                   FROM modelhop.help_calls(f.function_name, shown_name) c),
    E'Arguments\n' || modelhop.help_meanings(f.function_name, shown_name),
    E'Output\n  ' || replace(nullif(f.output, ''), E'\n', E'\n  '))
  FROM modelhop.help_function f WHERE f.function_name = help_usage.function_name
$$;
COMMENT ON FUNCTION modelhop.help_usage(text, text) IS 'The whole description of a function.';

CREATE FUNCTION modelhop.help_example(function_name text, shown_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT regexp_replace(
    concat_ws(E'\n', (SELECT string_agg(s.script, E'\n' ORDER BY s.place) FROM modelhop.help_example_step s
                      WHERE s.step = ANY (f.example_steps)), f.example),
    'modelhop\.' || f.function_name || '(?=\()', replace(shown_name, '\', '\\'), 'g')
  FROM modelhop.help_function f WHERE f.function_name = help_example.function_name
$$;
COMMENT ON FUNCTION modelhop.help_example(text, text) IS 'A script that runs as it stands, in a schema without such tables.';

CREATE FUNCTION modelhop.help_overview() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT string_agg(t.text, E'\n\n' ORDER BY t.topic)
    || E'\n\nSELECT modelhop.help(''fit'', ''usage'') describes a function, ''example'' shows a script that uses it.'
  FROM (SELECT f.topic, initcap(f.topic) || E'\n'
          || string_agg(format('  %s: %s', f.function_name, split_part(f.purpose, E'\n', 1)), E'\n' ORDER BY f.function_name)
          AS text
        FROM modelhop.help_function f GROUP BY f.topic) t
$$;
COMMENT ON FUNCTION modelhop.help_overview() IS 'All functions that people call, by topic.';

CREATE FUNCTION modelhop.help(function_name text DEFAULT NULL, message text DEFAULT '', shown_name text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  wanted text := lower(btrim(coalesce(message, '')));
  topic modelhop.help_function;
  shown text;
BEGIN
  IF btrim(coalesce(function_name, '')) = '' THEN
    RETURN modelhop.help_overview();
  END IF;
  SELECT * INTO topic FROM modelhop.help_function f
  WHERE f.function_name = regexp_replace(lower(btrim(help.function_name)), '^(modelhop\.|(madlib\.)?(madlib_keras_)?)', '');
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_function',
      MESSAGE = format('argument function_name: there is no help for "%s"', function_name),
      HINT = 'SELECT modelhop.help() lists the functions.';
  END IF;
  shown := coalesce(shown_name, 'modelhop.' || topic.function_name);
  BEGIN
    PERFORM parse_ident(shown);
  EXCEPTION WHEN invalid_parameter_value OR invalid_name THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_name',
      MESSAGE = format('argument shown_name: "%s" is not the name of a function', shown_name),
      HINT = 'Write schema.name, with quotes where SQL needs them.';
  END;
  IF wanted IN ('help', '?', 'usage') THEN
    RETURN shown || E'\n\n' || modelhop.help_usage(topic.function_name, shown);
  ELSIF wanted IN ('example', 'examples') THEN
    RETURN modelhop.help_example(topic.function_name, shown);
  ELSIF wanted <> '' THEN
    -- Somebody who left out all arguments but one lands here, too.
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument message: "%s" is unknown, and %s takes more than one argument', message, shown),
      HINT = 'With one argument it gives help: use ''usage'' for its arguments, or ''example''.';
  END IF;
  RETURN concat(shown, E'\n\n', topic.purpose, E'\n\n', modelhop.help_pointer(topic, shown));
END $$;
COMMENT ON FUNCTION modelhop.help(text, text, text) IS
'Help for a function: what it does, or by message its usage or an example; all functions without a name. shown_name stands in place of the function''s own name.';

CREATE FUNCTION modelhop.help_pointer(topic modelhop.help_function, shown_name text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('SELECT %s describes the arguments and the output, SELECT %s shows an example.',
                format(call, 'usage'), format(call, 'example'))
  FROM (SELECT CASE WHEN topic.has_overloads AND EXISTS (
                 SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                 WHERE ARRAY[n.nspname, p.proname]::text[] = parse_ident(shown_name)
                   AND p.proargnames = ARRAY['message'])
               THEN replace(shown_name, '%', '%%') || '(%L)'
               ELSE format('modelhop.help(%L, %%L)', topic.function_name) END) AS c(call)
$$;
COMMENT ON FUNCTION modelhop.help_pointer(modelhop.help_function, text) IS 'Where there is more to read about a function.';
