# SPDX-License-Identifier: Apache-2.0
# Twenty runs in one session: what the trainer holds after the last ones is what it held around the fifth. Medians of five
# rounds, because which slot took which unit moves a single reading by two per cent; forty rounds before the first, until each
# slot has met each kind of unit and libraries hold their buffers (3 MB in all).
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
for my $number (-39 .. 20) {
    $script .= <<"SQL";
SELECT modelhop.fit_multiple_model('packed', 'out', 'mst', 1, FALSE, 'packed');
SELECT modelhop.predict('out', 'images', 'id', 'image', 'guesses', 'response', FALSE, 1);
SELECT modelhop.fit_multiple_model('packed', 'out', 'mst', 1, FALSE);
DROP TABLE out, out_info, out_summary, guesses;
\\echo round $number
\\! for i in 1 2 3; do grep VmRSS /proc/\$TRAINER/status; sleep 0.02; done
SQL
}
my ($output, $errors) = ('', '');
$node->psql('postgres', $script, stdout => \$output, stderr => \$errors, on_error_stop => 0);

my %resident;
my $current = 0;
for my $line (split /\n/, $output) {
    $current = $1 if $line =~ /^round (-?\d+)$/;
    # The slots give memory back after the statement has its answer: the least of a few readings counts.
    $resident{$current} = $1 if $line =~ /^VmRSS:\s+(\d+) kB/ && $1 < ($resident{$current} // 'inf');
}
is(scalar(() = $errors =~ /exists already/g), 60, 'the call that must be refused was refused in each round');
unlike($errors, qr/FATAL|PANIC|modelhop-trainer ended/, 'nothing worse happened');
is(scalar(keys %resident), 60, 'the resident size was read after each round') or diag($output);
sub median { return (sort { $a <=> $b } @resident{@_})[2]; }
my ($early, $late) = (median(3 .. 7), median(16 .. 20));
note("resident: $early kB around round 5, $late kB around round 18");
cmp_ok($late, '<=', 1.02 * $early, 'the trainer grew by at most 2 %');
is($node->safe_psql('postgres', 'SELECT count(*) FROM modelhop.progress'), '0', 'no run is left');

$node->stop;
done_testing();
