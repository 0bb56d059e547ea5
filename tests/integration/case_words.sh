# SPDX-License-Identifier: Apache-2.0
# For the tests of case files: make_words FILE.words DIRECTORY writes the table files that the lines
# of FILE.words describe, and fails when one cannot be written.

# The bytes of a number, least significant first, as octal escapes.
number_bytes() { # SIZE NUMBER
  rest=$(($2))
  i=0
  while [ "$i" -lt "$1" ]; do
    printf '\\%03o' $((rest & 255))
    rest=$((rest >> 8))
    i=$((i + 1))
  done
}

# The same of a hexadecimal word, in halves: shells calculate with 63 bits and a sign.
word_bytes() { # SIZE 0xDIGITS
  digits=${2#0x}
  high=${digits%????????}
  if [ "$1" != 8 ] || [ "$high" = "$digits" ]; then
    number_bytes "$1" "$2"
  else
    number_bytes 4 "0x${digits#"$high"}"
    number_bytes 4 "0x0$high"
  fi
}

make_words() {
  while read -r file size words; do
    case $file in '#'* | '') continue ;; esac
    for word in $words; do
      printf "$(word_bytes "$size" "$word")" >>"$2/$file" || return 1
    done
  done <"$1"
}
