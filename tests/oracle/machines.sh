# SPDX-License-Identifier: Apache-2.0
#
# The families of random cases, and the machines that answer them. $oracle_source is this folder.
families="armv7 x86-64 x86-svm-npt x86-ept"

# Emulator and compiler for a family's machine, and the Debian packages that have them.
tools_of() {
  case $1 in
    armv7) echo "${NW_ORACLE_QEMU:-qemu-system-aarch64} ${ARM_NONE_EABI_CC:-arm-none-eabi-gcc}" ;;
    x86-ept) echo "${NW_ORACLE_BOCHS:-bochs} ${X86_64_CC:-gcc} ${X86_64_OBJCOPY:-objcopy}" ;;
    *) echo "${NW_ORACLE_QEMU_X86:-qemu-system-x86_64} ${X86_64_CC:-gcc} ${X86_64_OBJCOPY:-objcopy}" ;;
  esac
}
packages_of() {
  case $1 in
    armv7) echo "qemu-system-arm, gcc-arm-none-eabi" ;;
    x86-ept) echo "bochs, bochs-term, bochsbios, vgabios, gcc" ;;
    *) echo "qemu-system-x86, gcc" ;;
  esac
}

# What the emulator needs besides.
files_of() {
  case $1 in
    x86-ept)
      share=${BXSHARE:-/usr/share/bochs}
      echo "$share/BIOS-bochs-latest $share/VGABIOS-lgpl-latest"
      [ -n "${NW_ORACLE_BOCHS:-}" ] || echo /usr/lib/*/bochs/plugins/libbx_term_gui.so
      ;;
  esac
}

# The list of known departures of a family's machine.
departures_of() {
  case $1 in
    armv7) echo "$oracle_source/departures.txt" ;;
    x86-ept) echo "$oracle_source/ept/departures.txt" ;;
    *) echo "$oracle_source/x86/departures.txt" ;;
  esac
}

# missing_for FAMILY: what is not there of its tools.
missing_for() {
  missing=
  for tool in $(tools_of "$1"); do
    command -v "$tool" >/dev/null || missing="$missing $tool"
  done
  for file in $(files_of "$1"); do
    [ -e "$file" ] || missing="$missing $file"
  done
  case $1 in
    x86-*)
      [ -n "$missing" ] || "${X86_64_CC:-gcc}" -dumpmachine | grep -q '^x86_64' ||
        missing=" a compiler for x86-64 (X86_64_CC)"
      ;;
  esac
  [ -z "$missing" ] || echo "$missing (Debian: $(packages_of "$1"))"
}

# build_machine FAMILY FOLDER: its program, once, and the variable that says where it is.
build_machine() {
  case $1 in
    armv7)
      NW_ORACLE_PROGRAM=$2/hyp.elf
      export NW_ORACLE_PROGRAM
      [ -e "$NW_ORACLE_PROGRAM" ] ||
        "$oracle_source/build-hyp" "$oracle_source" "$NW_ORACLE_PROGRAM"
      ;;
    x86-ept)
      NW_ORACLE_PROGRAM_EPT=$2/ept.rom
      export NW_ORACLE_PROGRAM_EPT
      [ -e "$NW_ORACLE_PROGRAM_EPT" ] ||
        "$oracle_source/ept/build-rom" "$oracle_source/ept" "$NW_ORACLE_PROGRAM_EPT"
      ;;
    *)
      NW_ORACLE_PROGRAM_X86=$2/svm.elf
      export NW_ORACLE_PROGRAM_X86
      [ -e "$NW_ORACLE_PROGRAM_X86" ] ||
        "$oracle_source/x86/build-svm" "$oracle_source/x86" "$NW_ORACLE_PROGRAM_X86"
      ;;
  esac
}
