-- Help for train_test_split.

INSERT INTO modelhop.help_function VALUES
('train_test_split', 'data', false,
$_$Deals the rows of a table by chance into rows to train on and rows to test with.
SELECT setseed(0.5) before it makes it deal the same rows again.$_$,
$_$output_table with the columns of the source table and split integer: 1 to train on, 0 to test with;
with separate_output_tables output_table_train and output_table_test without that column.$_$,
'{data}',
$_$SELECT modelhop.train_test_split('flower', 'flower', 0.8, separate_output_tables => true);
SELECT (SELECT count(*) FROM flower_train) AS to_train_on, (SELECT count(*) FROM flower_test) AS to_test_with;$_$);

INSERT INTO modelhop.help_argument VALUES
('train_test_split', 'source_table', 'Table or view with the rows.'),
('train_test_split', 'output_table', 'Table that is made, or the beginning of the names of two.'),
('train_test_split', 'train_proportion', 'Share of the rows to train on, between 0 and 1.'),
('train_test_split', 'test_proportion', 'Share of the rows to test with; NULL: all the others.'),
('train_test_split', 'grouping_cols', 'Columns, separated by commas; the rows of each group are dealt by themselves.'),
('train_test_split', 'target_cols', 'Columns of the output, separated by commas; NULL or *: all.'),
('train_test_split', 'with_replacement', 'Whether a row may be taken more than once.'),
('train_test_split', 'separate_output_tables', 'Whether two tables are made.');
