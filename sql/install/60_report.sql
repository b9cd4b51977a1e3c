-- What a run of fit_multiple_model left behind, for people.

CREATE FUNCTION modelhop.is_finite(value double precision) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(value NOT IN ('NaN', 'Infinity', '-Infinity'), false) $$;
COMMENT ON FUNCTION modelhop.is_finite(double precision) IS 'Whether a value is a finite number; false for NULL.';

CREATE FUNCTION modelhop.info_table(output_table varchar) RETURNS regclass
LANGUAGE plpgsql
AS $$
DECLARE
  info pg_catalog.regclass := modelhop.existing_table('output_table', output_table, '_info');
BEGIN
  PERFORM modelhop.check_columns('output_table', info,
    ARRAY['mst_key', 'model_id', 'compile_params', 'fit_params', 'metrics_type', 'training_loss_final',
          'training_metrics_final', 'validation_loss_final', 'validation_metrics_final', 'training_loss',
          'training_metrics', 'validation_loss', 'validation_metrics', 'status', 'units', 'metrics_goal',
          'training_scores', 'validation_scores', 'weights_iteration']::pg_catalog.text[],
    'Name the output of fit_multiple_model, made while modelhop.madlib_columns was off.');
  RETURN info;
END $$;
COMMENT ON FUNCTION modelhop.info_table(varchar) IS 'The _info table of a run, checked.';

CREATE FUNCTION modelhop.scores_of_iteration(scores jsonb, iteration integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT s.score FROM jsonb_array_elements(scores) AS s(score) WHERE (s.score ->> 'iteration')::integer = iteration $$;
COMMENT ON FUNCTION modelhop.scores_of_iteration(jsonb, integer) IS
'The losses and metrics of one iteration out of training_scores or validation_scores.';

CREATE FUNCTION modelhop.rank_configurations(info regclass)
RETURNS TABLE(rank integer, mst_key integer, model_id integer, compile_params text, fit_params text,
              training_loss double precision, training_metric double precision, validation_loss double precision,
              validation_metric double precision, metric_gap double precision, status text, training_scores jsonb,
              validation_scores jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  -- One measure ranks all: the first of these that any configuration has.
  RETURN QUERY EXECUTE format($query$
    WITH result AS (
      SELECT i.mst_key, i.model_id, i.compile_params::text, i.fit_params::text,
        i.training_loss_final AS tl, i.training_metrics_final AS tm, i.validation_loss_final AS vl,
        i.validation_metrics_final AS vm, i.status::text,
        CASE WHEN i.metrics_goal[1] = 'max' THEN -1 ELSE 1 END AS direction, i.training_scores, i.validation_scores,
        coalesce(i.weights_iteration, (i.training_scores -> -1 ->> 'iteration')::integer) AS iteration
      FROM %s i),
    scored AS (
      SELECT r.*,
        CASE (SELECT CASE WHEN count(vm) > 0 THEN 'vm' WHEN count(vl) > 0 THEN 'vl' WHEN count(tm) > 0 THEN 'tm'
                     ELSE 'tl' END FROM result)
          WHEN 'vm' THEN direction * vm WHEN 'vl' THEN vl WHEN 'tm' THEN direction * tm ELSE tl END AS score
      FROM result r)
    SELECT (row_number() OVER (ORDER BY modelhop.is_finite(score) AND status IS DISTINCT FROM 'diverged' DESC,
                               modelhop.is_finite(score) DESC, score, coalesce(vl, tl), mst_key))::integer,
      mst_key, model_id, compile_params, fit_params, tl, tm, vl, vm, tm - vm, status,
      modelhop.scores_of_iteration(training_scores, iteration), modelhop.scores_of_iteration(validation_scores, iteration)
    FROM scored ORDER BY 1 $query$, info);
END $$;
COMMENT ON FUNCTION modelhop.rank_configurations(regclass) IS 'The rows of a leaderboard.';

CREATE FUNCTION modelhop.leaderboard(output_table varchar)
RETURNS TABLE(rank integer, mst_key integer, model_id integer, compile_params text, fit_params text,
              training_loss double precision, training_metric double precision, validation_loss double precision,
              validation_metric double precision, metric_gap double precision, status text, training_scores jsonb,
              validation_scores jsonb)
LANGUAGE sql
AS $$ SELECT * FROM modelhop.rank_configurations(modelhop.info_table(output_table)) $$;
COMMENT ON FUNCTION modelhop.leaderboard(varchar) IS
'The configurations of a run, the best first: by validation metric, else validation loss, else training. What is not a finite number comes last.';

CREATE FUNCTION modelhop.units_of(info regclass)
RETURNS TABLE(mst_key integer, kind text, iteration integer, segment integer, slot integer,
              start_seconds double precision, end_seconds double precision, seconds double precision, steps bigint,
              examples bigint, loss double precision)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN QUERY EXECUTE format($query$
    SELECT i.mst_key, u.kind, u.iteration, u.segment, u.slot, u."start", u."end", u."end" - u."start", u.steps,
      u.examples, u.loss
    FROM %s i, jsonb_to_recordset(i.units) AS u(kind text, iteration integer, segment integer, slot integer,
      "start" double precision, "end" double precision, steps bigint, examples bigint, loss double precision)
    ORDER BY u."start", u."end", i.mst_key $query$, info);
END $$;
COMMENT ON FUNCTION modelhop.units_of(regclass) IS 'The rows of a timeline.';

CREATE FUNCTION modelhop.unit_timeline(output_table varchar)
RETURNS TABLE(mst_key integer, kind text, iteration integer, segment integer, slot integer,
              start_seconds double precision, end_seconds double precision, seconds double precision, steps bigint,
              examples bigint, loss double precision)
LANGUAGE sql
AS $$ SELECT * FROM modelhop.units_of(modelhop.info_table(output_table)) $$;
COMMENT ON FUNCTION modelhop.unit_timeline(varchar) IS
'The units of a run in the order in which they started, in seconds since the start of the run.';

CREATE FUNCTION modelhop.draw_curves(title text, metric text, labels text[], series integer[], is_dashed integer[],
                                     x double precision[], y double precision[]) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_draw_curves';
COMMENT ON FUNCTION modelhop.draw_curves(text, text, text[], integer[], integer[], double precision[], double precision[]) IS
'An SVG of curves given as points; the points of a curve stand together, series count from 1, the most important first.';

CREATE FUNCTION modelhop.draw_timeline(title text, labels text[], series integer[], slot integer[],
  is_training integer[], start_seconds double precision[], end_seconds double precision[], tips text[]) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_draw_timeline';
COMMENT ON FUNCTION modelhop.draw_timeline(text, text[], integer[], integer[], integer[], double precision[],
  double precision[], text[]) IS 'An SVG of units as bars, a row for each slot.';

CREATE FUNCTION modelhop.configuration_label(mst_key integer, model_id integer, compile_params text, fit_params text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT format('%s: model %s, %s%s', mst_key, model_id,
    coalesce(regexp_replace(substring(compile_params FROM 'optimizer\s*=\s*([''"][^''"]*[''"]|[^,(]*(\([^)]*\))?)'),
                            '[''"]', '', 'g'), compile_params),
    coalesce(', ' || nullif(btrim(fit_params), ''), ''))
$$;
COMMENT ON FUNCTION modelhop.configuration_label(integer, integer, text, text) IS
'A configuration in one line: key, model, optimizer and fit parameters.';

CREATE FUNCTION modelhop.choose_metrics(info regclass, metric text) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  max_panels CONSTANT integer := 8;
  metrics text[];
  known text[];
BEGIN
  EXECUTE format($query$
    SELECT array_agg(name ORDER BY place, key) FROM (
      SELECT u.name, min(u.place) AS place, min(i.mst_key) AS key
      FROM %1$s i, unnest(i.metrics_type) WITH ORDINALITY AS u(name, place) GROUP BY u.name) m $query$, info) INTO metrics;
  IF metric IS NULL THEN
    RETURN coalesce(metrics[1:max_panels], '{loss}');
  END IF;
  EXECUTE format($query$
    SELECT array_agg(DISTINCT k ORDER BY k) FROM %1$s i, jsonb_array_elements(i.training_scores) AS s(score),
      jsonb_object_keys(s.score) AS k WHERE k <> 'iteration' $query$, info) INTO known;
  IF metric <> ALL (array_prepend('loss', known)) IS NOT FALSE THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument metric: "%s" is not a metric of the run', metric),
      HINT = format('Use %s.', (SELECT string_agg(quote_literal(k), ', ') FROM unnest(coalesce(known, '{loss}')) k));
  END IF;
  RETURN ARRAY[metric];
END $$;
COMMENT ON FUNCTION modelhop.choose_metrics(regclass, text) IS
'What is drawn, a panel each: the metric asked for (a loss or a metric), or the first eight metrics of the run, or its loss.';

CREATE FUNCTION modelhop.picture_of_curves(info regclass, title text, metric text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  picture text;
BEGIN
  -- Validation curves are solid and training curves dashed; alone, training is solid.
  EXECUTE format($query$
    WITH ranked AS (SELECT rank, mst_key, modelhop.configuration_label(mst_key, model_id, compile_params, fit_params)
                           AS label FROM modelhop.rank_configurations(%1$L)),
    scored AS (SELECT i.mst_key, 0 AS is_dashed, s.score
               FROM %1$s i, jsonb_array_elements(i.validation_scores) AS s(score)
               UNION ALL
               SELECT i.mst_key, (i.validation_scores IS NOT NULL)::integer, s.score
               FROM %1$s i, jsonb_array_elements(i.training_scores) AS s(score)),
    point AS (SELECT r.rank, c.is_dashed, (c.score ->> 'iteration')::double precision AS x,
                coalesce((c.score ->> $2)::double precision, 'NaN') AS y
              FROM scored c JOIN ranked r USING (mst_key) WHERE c.score ? $2)
    SELECT modelhop.draw_curves($1, $3, coalesce((SELECT array_agg(label ORDER BY rank) FROM ranked), '{}'),
      coalesce(array_agg(rank ORDER BY rank, is_dashed, x), '{}'),
      coalesce(array_agg(is_dashed ORDER BY rank, is_dashed, x), '{}'),
      coalesce(array_agg(x ORDER BY rank, is_dashed, x), '{}'),
      coalesce(array_agg(y ORDER BY rank, is_dashed, x), '{}')) FROM point $query$, info)
    INTO picture USING title, metric, metric || ' (solid: validation, dashed: training)';
  RETURN picture;
END $$;
COMMENT ON FUNCTION modelhop.picture_of_curves(regclass, text, text) IS 'One panel of plot_curves.';

CREATE FUNCTION modelhop.stack_pictures(pictures text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN cardinality(pictures) = 1 THEN pictures[1] ELSE
    format('<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s">', min(p.width), sum(p.height)) || E'\n'
    || string_agg(regexp_replace(p.picture, '^<svg ', format('<svg y="%s" ', p.bottom - p.height)), '' ORDER BY p.place)
    || E'</svg>\n' END
  FROM (SELECT u.picture, u.place, substring(u.picture FROM 'width="(\d+)"')::integer AS width, size.height,
          sum(size.height) OVER (ORDER BY u.place) AS bottom
        FROM unnest(pictures) WITH ORDINALITY AS u(picture, place),
          LATERAL (SELECT substring(u.picture FROM 'height="(\d+)"')::integer AS height) size) p
$$;
COMMENT ON FUNCTION modelhop.stack_pictures(text[]) IS 'One SVG of several, one below the other.';

CREATE FUNCTION modelhop.plot_curves(output_table varchar, metric text DEFAULT NULL) RETURNS text
LANGUAGE sql
AS $$
  SELECT modelhop.stack_pictures(pg_catalog.array_agg(
      modelhop.picture_of_curves(i.info, pg_catalog.concat(output_table, ': ', m.name), m.name) ORDER BY m.place))
  FROM modelhop.info_table(output_table) AS i(info),
    pg_catalog.unnest(modelhop.choose_metrics(i.info, metric)) WITH ORDINALITY AS m(name, place)
$$;
COMMENT ON FUNCTION modelhop.plot_curves(varchar, text) IS
'The curves of all configurations of a run as SVG text; metric is a loss or a metric of the run, without it each of the first eight metrics has a panel.';

CREATE FUNCTION modelhop.picture_of_timeline(info regclass, title text) RETURNS text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$
  WITH ranked AS (SELECT r.rank, r.mst_key,
                    modelhop.configuration_label(r.mst_key, r.model_id, r.compile_params, r.fit_params) AS label
                  FROM modelhop.rank_configurations(info) r),
  unit AS (SELECT r.rank, u.slot, (u.kind = 'train')::integer AS is_training, u.start_seconds, u.end_seconds,
             row_number() OVER (ORDER BY u.start_seconds, u.end_seconds, u.mst_key) AS i,
             format('%s: %s, iteration %s, segment %s, %s s', r.label, u.kind, u.iteration, u.segment,
                    round(u.seconds::numeric, 3)) AS tip
           FROM modelhop.units_of(info) u JOIN ranked r USING (mst_key))
  SELECT modelhop.draw_timeline(title, coalesce((SELECT array_agg(label ORDER BY rank) FROM ranked), '{}'),
    coalesce(array_agg(rank ORDER BY i), '{}'), coalesce(array_agg(slot ORDER BY i), '{}'),
    coalesce(array_agg(is_training ORDER BY i), '{}'), coalesce(array_agg(start_seconds ORDER BY i), '{}'),
    coalesce(array_agg(end_seconds ORDER BY i), '{}'), coalesce(array_agg(tip ORDER BY i), '{}')) FROM unit
$$;
COMMENT ON FUNCTION modelhop.picture_of_timeline(regclass, text) IS 'The SVG of plot_timeline.';

CREATE FUNCTION modelhop.plot_timeline(output_table varchar) RETURNS text
LANGUAGE sql
AS $$ SELECT modelhop.picture_of_timeline(modelhop.info_table(output_table),
                                          pg_catalog.concat(output_table, ': units by slot')) $$;
COMMENT ON FUNCTION modelhop.plot_timeline(varchar) IS
'When each unit of a run trained, as SVG text: a row for each slot, a colour for each configuration.';
