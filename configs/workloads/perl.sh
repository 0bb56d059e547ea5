# SPDX-License-Identifier: Apache-2.0
about="an interpreter: perl counts the pairs of neighbouring words of a text in a hash, and sorts"
packages="perl-base"
references=42
prepare() {
  text 2000 >text
  cat >pairs.pl <<'END'
my (%count, $last);
while (<>) {
  for my $word (split) {
    $count{"$last $word"}++ if defined $last;
    $last = $word;
  }
}
my @most = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
print "$_ $count{$_}\n" for @most[0 .. 9];
END
}
program=(root/usr/bin/perl pairs.pl text)
