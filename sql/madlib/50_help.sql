-- The functions of MADlib that tell about themselves, without arguments or to 'help', 'usage' and '?'.
DO $make$
DECLARE
  function_name text;
  of_modelhop text;
  body text;
BEGIN
  FOR function_name, of_modelhop IN VALUES
    ('load_keras_model', 'load_keras_model'), ('delete_keras_model', 'delete_keras_model'),
    ('training_preprocessor_dl', 'training_preprocessor_dl'),
    ('validation_preprocessor_dl', 'validation_preprocessor_dl'), ('madlib_keras_fit', 'fit'),
    ('madlib_keras_evaluate', 'evaluate'), ('madlib_keras_predict', 'predict'),
    ('madlib_keras_predict_byom', 'predict_byom'), ('load_custom_function', 'load_custom_function'),
    ('delete_custom_function', 'delete_custom_function'),
    ('load_top_k_accuracy_function', 'load_top_k_accuracy_function'), ('gpu_configuration', 'gpu_configuration')
  LOOP
    body := format('SELECT modelhop.help(%L, %%s, %L)', of_modelhop, format('%I.%I', current_schema(), function_name));
    EXECUTE format('CREATE FUNCTION %I() RETURNS varchar LANGUAGE sql AS %L', function_name, format(body, quote_literal('')));
    EXECUTE format('COMMENT ON FUNCTION %I() IS %L', function_name, 'Tells what the function is for.');
    -- A name of a table is all that gpu_configuration takes.
    CONTINUE WHEN function_name = 'gpu_configuration';
    EXECUTE format('CREATE FUNCTION %I(message varchar) RETURNS varchar LANGUAGE sql AS %L', function_name, format(body, '$1'));
    EXECUTE format('COMMENT ON FUNCTION %I(varchar) IS %L', function_name, 'Tells what the function is for, or how to call it.');
  END LOOP;
END $make$;
