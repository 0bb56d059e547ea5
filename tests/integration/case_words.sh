# SPDX-License-Identifier: Apache-2.0
# For the tests of case files: make_words FILE.words DIRECTORY writes the table files that the lines
# of FILE.words describe, and fails when one cannot be written.

# The bytes of a number, least significant first, as octal escapes.
word_bytes() { # SIZE NUMBER
  rest=$(($2))
  i=0
  while [ "$i" -lt "$1" ]; do
    printf '\\%03o' $((rest & 255))
    rest=$((rest >> 8))
    i=$((i + 1))
  done
}

make_words() {
  while read -r file size words; do
    case $file in '#'* | '') continue ;; esac
    for word in $words; do
      printf "$(word_bytes "$size" "$word")" >>"$2/$file" || return 1
    done
  done <"$1"
}
