#!/bin/sh
# SPDX-License-Identifier: MIT
# perl over libkmem: hashes, regular expressions, sorting, string building.
. "$(dirname "$0")/lib.sh"
need perl

cat >"$tmp/t.pl" <<'P'
use strict;
use warnings;
my (%h, @l);
for my $i (1 .. 100000) {
	my $k = "key" . ($i * 7919 % 50021);
	$h{$k} .= "$i,";
	push @l, $k if $i % 3 == 0;
}
my $n = 0;
for my $k (sort keys %h) {
	$n += length $h{$k};
	delete $h{$k} if $h{$k} =~ /^(\d+),.*7,$/ && $1 % 2;
}
my $text = join ' ', map { $_ x 3 } sort { $a cmp $b } @l;
(my $copy = $text) =~ s/key(\d+)/<$1>/g;
my %count;
$count{length $1}++ while $copy =~ /<(\d+)>/g;
print "$n ", scalar(keys %h), ' ', length($text), ' ', length($copy), "\n";
print "$_=$count{$_}\n" for sort { $a <=> $b } keys %count;
my $s = '';
$s .= chr(65 + $_ % 26) x 10 for 1 .. 200000;
print length($s), ' ', unpack('%32C*', $s), "\n";
eval { die { code => 42 } };
print "caught $@->{code}\n";
P
both "hashes, expressions, sorting" 60 PERL_HASH_SEED=0 perl "$tmp/t.pl"
both "hashes, 512 MiB" 60 KMEM_CMDLINE=mem=512M PERL_HASH_SEED=0 perl "$tmp/t.pl"
done_testing
