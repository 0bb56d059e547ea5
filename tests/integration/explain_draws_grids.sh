#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole text of one walk as it is kept here, grid included; and pictures, which have a box for
# each cell of the text's grid.
. "$top_srcdir/tests/integration/case_words.sh"
. "$top_srcdir/tests/integration/cli_common.sh"

for name in nested short x86; do
  make_words "$top_srcdir/tests/cases/$name.words" "$dir" || exit 99
  cp "$top_srcdir/tests/cases/$name.case" "$dir/$name.case"
done

# golden NAME OPTION...: explain prints tests/cases/NAME.explained.
golden() {
  name=$1
  shift
  try 0 explain "$@"
  diff -u "$top_srcdir/tests/cases/$name.explained" "$dir/out" || fail "explain $*"
}

golden nested --keep-state --latency=20 "$dir/nested.case" 2
golden x86 "$dir/x86.case" 1

# The manual's example is what the command prints.
(cd "$dir" && "$nestwalk" explain --keep-state --latency=20 x86.case 3 --svg=walk.svg >example) ||
  fail "the manual's example"
sed -n '/^\$ nestwalk explain .* x86.case 3/,/^```/{/^\$/d;/^```/d;p}' "$top_srcdir/docs/explain.md" |
  diff - "$dir/example" || fail "docs/explain.md shows something else"
cmp "$top_srcdir/docs/walk.svg" "$dir/walk.svg" || fail "docs/walk.svg is another picture"

# No grid is wider than 100 characters, five levels over five included; references by number of levels.
try 0 explain "$dir/x86.case"
equal "longest line of a grid" 100 \
  "$(awk '/^(---\+|   \||L[1-5] \||s1 \|)/ && length($0) > most { most = length($0) } END { print most }' \
    "$dir/out")"
for references in 35 29 24 5 4; do
  says out "  $references references"
done

# boxes FILE FILL: how many boxes have the colour
boxes() {
  grep -c "<rect.*height=\"42\".*fill=\"$2\"" "$1"
}

try 0 explain --keep-state "$dir/nested.case" 2 --svg="$dir/two.svg"
stage1=$(grep -c '^s1.*#' "$dir/out")
[ "$stage1" -gt 0 ] || fail "no stage-1 row"
equal "skipped cells" "$(boxes "$dir/two.svg" '#f4f4f4')" \
  $(($(grep -o '|-[a-zA-Z]' "$dir/out" | wc -l) + 1)) # and the head of level 3
equal "references" \
  $(($(boxes "$dir/two.svg" '#cfe4f5') + $(boxes "$dir/two.svg" '#fbe3b4'))) \
  "$(grep -o '|#[0-9]' "$dir/out" | wc -l)"

# The same picture by every way to ask for it, whole files that are XML.
try 0 explain --keep-state -o "$dir/named.svg" "$dir/nested.case" 2
silent out
cmp "$dir/two.svg" "$dir/named.svg" || fail "-o NAME.svg draws something else"
try 0 explain --keep-state --format=svg "$dir/nested.case" 2
cmp "$dir/two.svg" "$dir/out" || fail "--format=svg draws something else"
try 0 explain --format=text -o "$dir/text.svg" "$dir/short.case" 1
grep -q '^query 1' "$dir/text.svg" || fail "--format=text is overruled by the name"
try 0 explain -o "$dir/all.svg" "$dir/short.case"
if command -v python3 >/dev/null; then
  for file in two all; do
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' \
      "$dir/$file.svg" || fail "$file.svg is not XML"
  done
fi

try 2 explain --format=png "$dir/nested.case"
says err "expected text or svg"
try 2 explain -o "$dir/a.svg" --svg="$dir/b.svg" "$dir/nested.case"
says err "expected one picture"
try 1 explain -o "$dir/no/such" "$dir/nested.case"
says err "$dir/no/such: cannot be written"
try 2 explain --svg="$dir/none.svg" "$dir/nested.case" 99
[ ! -e "$dir/none.svg" ] || fail "a picture of nothing"
try 2 explain --latency=x "$dir/nested.case"
says err "--latency: found 'x'"
finish
