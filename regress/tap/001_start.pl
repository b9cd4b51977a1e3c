# SPDX-License-Identifier: Apache-2.0
# CREATE EXTENSION works in a fresh cluster with default settings: no restart, no shared_preload_libraries; and the
# extension survives a restart.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('start');
$node->init;
$node->start;

$node->safe_psql('postgres', 'CREATE EXTENSION modelhop');
my $version = $node->safe_psql('postgres', 'SELECT modelhop.version()');
like($version, qr/\d+\.\d+\.\d+/, 'version is told without a restart');
is($node->safe_psql('postgres', 'SHOW shared_preload_libraries'), '', 'nothing is preloaded');

$node->restart;
is($node->safe_psql('postgres', 'SELECT modelhop.version()'), $version, 'the same after a restart');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal/, 'no crash in the log');

done_testing();
