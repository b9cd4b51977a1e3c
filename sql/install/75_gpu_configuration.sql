-- Which GPUs there are.

CREATE FUNCTION modelhop.visible_gpus(source text DEFAULT 'tensorflow') RETURNS TABLE (hostname text, gpu_descr text)
LANGUAGE c VOLATILE PARALLEL UNSAFE
AS 'MODULE_PATHNAME', 'modelhop_visible_gpus';
COMMENT ON FUNCTION modelhop.visible_gpus(text) IS
'The GPUs that the trainer can compute on (tensorflow, as MADlib calls the engine; starts the trainer), or that NVIDIA''s driver reports (nvidia).';

CREATE FUNCTION modelhop.write_gpus(output text, source text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('CREATE TABLE %s AS SELECT g.hostname, g.gpu_descr FROM modelhop.visible_gpus(%L) g', output, source);
END $$;
COMMENT ON FUNCTION modelhop.write_gpus(text, text) IS 'Makes the table of gpu_configuration.';

CREATE FUNCTION modelhop.gpu_configuration(output_table text, source text DEFAULT 'tensorflow') RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM modelhop.write_gpus(modelhop.free_output_table('output_table', output_table), source);
END $$;
COMMENT ON FUNCTION modelhop.gpu_configuration(text, text) IS
'Writes a table with a row for each GPU that the trainer (source tensorflow) or NVIDIA''s driver (nvidia) sees.';
