# SPDX-License-Identifier: Apache-2.0
# Twenty runs in one session of a fresh trainer: it is at most 2 % larger after the twentieth than after the fifth.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('leaks');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmodelhop.slots = 2\n");
$node->start;

my $csv = "$ENV{MODELHOP_DATA}/fashion_mnist/train.csv.gz";
my $dense = '"class_name": "Dense", "config": {"name"';
my $layers = '{"class_name": "Flatten", "config": {"name": "flat", "batch_input_shape": [null, 28, 28, 1]}},'
    . " {$dense: \"hidden\", \"units\": 256, \"activation\": \"relu\"}}, {$dense: \"out\", \"units\": 10, \"activation\": \"softmax\"}}";
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION modelhop;
CREATE TABLE images (id integer, class_name text, image bytea);
COPY images FROM PROGRAM 'gzip -dc $csv | head -n 1001' (FORMAT csv, HEADER);
SELECT modelhop.training_preprocessor_dl('images', 'packed', 'class_name', 'image', NULL, 255, NULL, NULL,
  num_segments => 2, seed => 1, independent_shape => ARRAY[28,28,1]);
SELECT modelhop.load_keras_model('arch', '{"class_name": "Sequential", "keras_version": "2.10.0", "config": [$layers]}');
SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1],
  ARRAY[\$\$optimizer='Adam()', loss='categorical_crossentropy', metrics=['accuracy']\$\$,
        \$\$optimizer='SGD(momentum=0.9)', loss='categorical_crossentropy', metrics=['accuracy']\$\$],
  ARRAY['batch_size=32', 'batch_size=50']);
SQL

# Each round is several transactions of the one session, with a call among them that must be refused.
my $script = "SET client_min_messages = error;\nSELECT FROM modelhop.check_install();\n"
    . "SELECT substring(modelhop.version() FROM 'PID ([0-9]+)') AS trainer \\gset\n\\setenv TRAINER :trainer\n";
for my $number (1 .. 20) {
    # The slots give memory back after the statement has its answer: they are through when no thread runs.
    $script .= <<"SQL";
SELECT modelhop.fit_multiple_model('packed', 'out', 'mst', 1, FALSE, 'packed');
SELECT modelhop.predict('out', 'images', 'id', 'image', 'guesses', 'response', FALSE, 1);
SELECT modelhop.fit_multiple_model('packed', 'out', 'mst', 1, FALSE);
DROP TABLE out, out_info, out_summary, guesses;
\\echo round $number
\\! while grep -q '^State:.[^S]' /proc/\$TRAINER/task/*/status; do sleep 0.01; done; grep VmRSS /proc/\$TRAINER/status
SQL
}
my ($output, $errors) = ('', '');
$node->psql('postgres', $script, stdout => \$output, stderr => \$errors, on_error_stop => 0);

my %resident;
my $current = 0;
for my $line (split /\n/, $output) {
    $current = $1 if $line =~ /^round (\d+)$/;
    $resident{$current} = $1 if $line =~ /^VmRSS:\s+(\d+) kB/;
}
is(scalar(() = $errors =~ /already exists/g), 20, 'the call that must be refused was refused in each round');
unlike($errors, qr/FATAL|PANIC|modelhop-trainer ended/, 'nothing worse happened');
is(scalar(keys %resident), 20, 'the resident size was read after each round') or diag($output);
note(join ' ', 'resident kB:', map { $resident{$_} // '?' } 1 .. 20);
cmp_ok($resident{20}, '<=', 1.02 * $resident{5}, 'the trainer grew by at most 2 % from the fifth run to the twentieth');
is($node->safe_psql('postgres', 'SELECT count(*) FROM modelhop.progress'), '0', 'no run is left');

$node->stop;
done_testing();
