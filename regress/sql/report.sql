-- Leaderboard, timeline and pictures, read from the tables that a run writes.
\set VERBOSITY sqlstate
CREATE SCHEMA regress_report;
SET search_path = regress_report, public;
CREATE TABLE "Out_info" (mst_key integer, model_id integer, compile_params text, fit_params text, metrics_type text[],
  training_loss_final float8, training_metrics_final float8, validation_loss_final float8, validation_metrics_final float8,
  training_loss float8[], training_metrics float8[], validation_loss float8[], validation_metrics float8[], status text, units jsonb,
  metrics_goal text[] DEFAULT '{max}', training_scores jsonb, validation_scores jsonb, weights_iteration integer);
CREATE TABLE "Out_summary" (model_arch_table text, metrics_iters integer[]);
INSERT INTO "Out_summary" VALUES ('arch', '{1,2,4}');
INSERT INTO "Out_info" VALUES
(1, 1, 'optimizer=''SGD(lr=0.1)'', loss=''mse''', 'batch_size=8', '{accuracy}', 0.5, 0.7, 0.6, 0.65, '{3,2,0.5}', '{0.1,0.4,0.7}', '{3,2,0.6}', '{0.1,0.4,0.65}', 'finished',
 '[{"kind":"train","iteration":1,"segment":0,"slot":0,"start":0.25,"end":1.25,"steps":3,"examples":20,"loss":1.5},
   {"kind":"evaluate_validation","iteration":1,"segment":0,"slot":1,"start":1.5,"end":1.75,"steps":0,"examples":20,"loss":1}]'),
(2, 1, 'optimizer=Adam', '', '{accuracy}', 0.1, 0.99, 0.9, 0.8, '{3,2,0.1}', '{0.1,0.4,0.99}', '{3,2,0.9}', '{0.1,0.4,0.8}', 'finished',
 '[{"kind":"train","iteration":1,"segment":1,"slot":1,"start":0,"end":1,"steps":3,"examples":20,"loss":null}]'),
(3, 2, 'optimizer=<b>&"', 'batch_size=4', '{accuracy}', 'NaN', 0.9, 'NaN', 'NaN', '{3,NaN}', '{0.1,0.9}', '{3,NaN}', '{0.1,NaN}', 'diverged', '[]'),
(4, 2, 'optimizer=Adagrad', 'batch_size=4', '{accuracy}', 0.4, 0.7, 0.5, 0.65, '{3,2,0.4}', '{0.1,0.4,0.7}', '{3,2,0.5}', '{0.1,NaN,0.65}', 'finished', '[]');
SELECT rank, mst_key, training_loss, training_metric, validation_loss, validation_metric, round(metric_gap::numeric, 3) AS gap, status
FROM modelhop.leaderboard('"Out"');
SET search_path = public;
SELECT mst_key FROM modelhop.leaderboard('regress_report."Out"');
SET search_path = regress_report, public;
-- Without a validation metric the validation loss ranks, then the training metric, then the training loss; less error is better.
UPDATE "Out_info" SET validation_metrics_final = NULL;
SELECT array_agg(mst_key ORDER BY rank) FROM modelhop.leaderboard('"Out"');
UPDATE "Out_info" SET validation_loss_final = NULL;
SELECT array_agg(mst_key ORDER BY rank) FROM modelhop.leaderboard('"Out"');
UPDATE "Out_info" SET metrics_type = '{mae}', metrics_goal = '{min}';
SELECT array_agg(mst_key ORDER BY rank) FROM modelhop.leaderboard('"Out"');
UPDATE "Out_info" SET metrics_type = '{accuracy}', metrics_goal = '{max}', validation_metrics_final = validation_metrics[3];
-- All scores of the last iteration, or of the one whose weights a callback has kept.
UPDATE "Out_info" SET training_scores = '[{"iteration": 1, "loss": 2.5}, {"iteration": 2, "loss": 0.5, "accuracy": 0.75}]',
  weights_iteration = CASE mst_key WHEN 2 THEN 1 END;
SELECT mst_key, training_scores, validation_scores FROM modelhop.leaderboard('"Out"') ORDER BY 1;
SELECT * FROM modelhop.unit_timeline('"Out"');
-- Pictures: well-formed, a curve for each configuration and table, a gap where there is no number, text escaped.
CREATE FUNCTION scores(loss float8[], metric float8[]) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_build_object('iteration', i, 'loss', CASE WHEN modelhop.is_finite(loss[i]) THEN loss[i] END,
    'accuracy', CASE WHEN modelhop.is_finite(metric[i]) THEN metric[i] END)) FROM generate_subscripts(loss, 1) i $$;
UPDATE "Out_info" SET training_scores = scores(training_loss, training_metrics), validation_scores = scores(validation_loss, validation_metrics);
SELECT (xpath('count(//*[local-name()="svg"])', p::xml))[1] AS documents, (xpath('count(//*[@class="curve"])', p::xml))[1] AS curves,
  p LIKE '%&lt;b&gt;&amp;%' AS is_escaped, p LIKE '%NaN%' OR p LIKE '%nan%' AS has_nan, p LIKE '%accuracy (solid%' AS names_metric
FROM modelhop.plot_curves('"Out"') p;
SELECT (xpath('count(//*[local-name()="polyline"])', modelhop.plot_curves('"Out"', 'loss')::xml))[1] AS lines;
SELECT (xpath('count(//*[@class="unit"])', modelhop.plot_timeline('"Out"')::xml))[1] AS units;
SELECT modelhop.plot_curves('"Out"', 'mae');
-- Several metrics have a panel each, also where configurations have others; a loss of one output is drawn when asked for.
UPDATE "Out_info" SET metrics_type = '{accuracy,auc}', training_scores = '[{"iteration": 1, "loss": 1, "a_loss": 1, "accuracy": 0.5, "auc": 0.5}, {"iteration": 2, "loss": 0.5, "a_loss": null, "accuracy": 0.7, "auc": 0.6}]'
WHERE mst_key = 1;
SELECT (xpath('count(//*[local-name()="svg"])', p::xml))[1] AS documents, (xpath('count(//*[local-name()="svg"]/@y)', p::xml))[1] AS panels,
  p LIKE '%: accuracy%' AS has_accuracy, p LIKE '%: auc%' AS has_auc FROM modelhop.plot_curves('"Out"') p;
SELECT (xpath('count(//*[@class="curve"])', modelhop.plot_curves('"Out"', 'a_loss')::xml))[1] AS curves;
UPDATE "Out_info" SET metrics_type = '{accuracy}';
-- More configurations than colours: the rest are grey and counted.
INSERT INTO "Out_info" SELECT 10 + i, 1, 'optimizer=Adam', 'batch_size=' || i, '{accuracy}', 1, 0.5, 1, 0.5, '{1,1,1}', '{0.1,0.2,0.5}', '{1,1,1}', '{0.1,0.2,0.5}', 'finished', '[]',
  '{max}', scores('{1,1,1}', '{0.1,0.2,0.5}'), scores('{1,1,1}', '{0.1,0.2,0.5}')
FROM generate_series(1, 20) i;
SELECT p LIKE '%12 more configurations%' AS is_counted, (xpath('count(//*[@class="curve"])', p::xml))[1] AS curves FROM modelhop.plot_curves('"Out"') p;
UPDATE "Out_info" SET validation_scores = NULL, training_scores = '[{"iteration": 1, "loss": null, "accuracy": null}]';
SELECT modelhop.plot_curves('"Out"') LIKE '%no finite value%' AS says_so;
DELETE FROM "Out_info";
SELECT count(*) FROM modelhop.leaderboard('"Out"');
SELECT length(modelhop.plot_curves('"Out"')) > 0, length(modelhop.plot_timeline('"Out"')) > 0;
-- What is no output of a run.
SELECT * FROM modelhop.leaderboard('no_such_table');
SELECT * FROM modelhop.leaderboard(NULL);
CREATE TABLE wrong_info (mst_key integer);
SELECT * FROM modelhop.leaderboard('wrong');
SELECT * FROM modelhop.unit_timeline('wrong');
SELECT modelhop.plot_curves('wrong');
SELECT modelhop.plot_timeline('wrong');
SET client_min_messages = error;
DROP SCHEMA regress_report CASCADE;
