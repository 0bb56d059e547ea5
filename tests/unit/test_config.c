/* SPDX-License-Identifier: Apache-2.0 */
/* Machine files: what is read, and what is refused with which place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/config.h"

static const char minimal[] = "architecture: armv7\n"                  /* line 1 */
                              "format: short\n"                        /* 2 */
                              "core: {clock_mhz: 1000, base_cpi: 1}\n" /* 3 */
                              "memory:\n"                              /* 4 */
                              "  caches:\n"                            /* 5 */
                              "  - name: l1\n"                         /* 6 */
                              "    size: 32KiB\n"                      /* 7 */
                              "    ways: 4\n"                          /* 8 */
                              "    line: 64\n"                         /* 9 */
                              "    latency: 3\n"                       /* 10 */
                              "  dram_latency: 100\n"                  /* 11 */
                              "mmu:\n"                                 /* 12 */
                              "  l2: {entries: 512, ways: 4}\n";       /* 13 */

static bool parse(const char *text, const char *set, struct nw_machine_config *config,
                  struct nw_config_error *error) {
  error->message[0] = '\0';
  return nw_config_parse("m.yaml", text, strlen(text), &set, set ? 1 : 0, config, error);
}

/* Reads `minimal` with one override that has to be accepted. */
static struct nw_machine_config with(const char *set) {
  struct nw_machine_config config;
  struct nw_config_error error;
  if (!parse(minimal, set, &config, &error))
    fail_msg("%s", error.message);
  return config;
}

/* The message with which `minimal` is refused after `from` in it has become `to`. */
static const char *refused(const char *from, const char *to) {
  static struct nw_config_error error;
  struct nw_machine_config config;
  char text[1024];
  const char *place = strstr(minimal, from);
  assert_non_null(place);
  snprintf(text, sizeof text, "%.*s%s%s", (int)(place - minimal), minimal, to,
           place + strlen(from));
  if (parse(text, NULL, &config, &error))
    fail_msg("'%s' was accepted", to);
  return error.message;
}

static const char *refused_set(const char *set) {
  static struct nw_config_error error;
  struct nw_machine_config config;
  if (parse(minimal, set, &config, &error))
    fail_msg("--set %s was accepted", set);
  return error.message;
}

static void assert_has(const char *message, const char *part) {
  if (!strstr(message, part))
    fail_msg("found \"%s\", expected \"%s\" in it", message, part);
}

static void what_is_not_given_has_a_default(void **state) {
  (void)state;
  struct nw_machine_config c = with(NULL);
  assert_string_equal(c.name, "m");
  assert_int_equal(c.format, NW_GUEST_SHORT);
  assert_int_equal(c.mmu.l1i.entries, 0);
  assert_int_equal(c.mmu.l2.entries, 512);
  assert_int_equal(c.mmu.l2.policy, NW_POLICY_LRU);
  assert_int_equal(c.mmu.walkers, 1);
  assert_int_equal(c.mmu.cycles.read, 2);
  assert_int_equal(c.memory.caches, 1);
  assert_int_equal(c.memory.cache[0].serves, 7);
  assert_int_equal(c.memory.cache[0].size, 32768);
  assert_false(c.program_accesses);
  assert_int_equal(c.guest.memory, 1u << 30);
  assert_int_equal(c.guest.quantum, 1000000);
  assert_true(c.guest.deprivileged);
  assert_false(c.hypervisor.stage2_large);
  assert_int_equal(c.seed, 1);
}

static void every_key_lands_in_its_place(void **state) {
  (void)state;
  assert_int_equal(with("format=lpae").format, NW_GUEST_LPAE);
  assert_string_equal(with("name=A 15").name, "A 15");
  assert_true(with("core.base_cpi=1.25").base_cpi == 1.25);
  assert_true(with("core.base_cpi=125e-2").base_cpi == 1.25);
  assert_int_equal(with("core.clock_mhz=1700").clock_mhz, 1700);
  assert_int_equal(with("mmu.l1i={entries: 8, ways: 8}").mmu.l1i.ways, 8);
  assert_int_equal(with("mmu.l1d={entries: 6, ways: 3}").mmu.l1d.entries, 6);
  assert_int_equal(with("mmu.l2.latency=9").mmu.l2.latency, 9);
  assert_int_equal(with("mmu.l2.policy=tree-plru").mmu.l2.policy, NW_POLICY_TREE_PLRU);
  assert_int_equal(with("mmu.l2.policy=fifo").mmu.l2.policy, NW_POLICY_FIFO);
  assert_int_equal(with("mmu.l2.policy=random").mmu.l2.policy, NW_POLICY_RANDOM);
  assert_int_equal(with("mmu.walk_cache={entries: 8, ways: 2}").mmu.walk_cache.ways, 2);
  assert_int_equal(with("mmu.ipa_cache={entries: 8, ways: 2}").mmu.ipa_cache.entries, 8);
  assert_int_equal(with("mmu.walk_cache_l2={entries: 8, ways: 2}").mmu.walk_cache_of[2].entries, 8);
  assert_int_equal(with("mmu.walkers=4").mmu.walkers, 4);
  assert_int_equal(with("mmu.cycles.read=7").mmu.cycles.read, 7);
  assert_int_equal(with("mmu.cycles.read=7").mmu.cycles.begin, 1);
  assert_int_equal(with("memory.program_accesses=true").program_accesses, true);
  assert_int_equal(with("memory.dram_latency=77").memory.dram_latency, 77);
  assert_int_equal(with("memory.caches.0.serves=[data, walker]").memory.cache[0].serves, 6);
  assert_int_equal(with("memory.caches=[]").memory.caches, 0);
  assert_int_equal(with("hypervisor.trap=27").hypervisor.trap, 27);
  assert_int_equal(with("hypervisor.world_switch=9").hypervisor.world_switch, 9);
  assert_int_equal(with("hypervisor.handler.mmio=5").hypervisor.handler[NW_EXIT_MMIO], 5);
  assert_int_equal(with("hypervisor.handler.stage2_fault=5").hypervisor.handler[0], 5);
  assert_true(with("hypervisor.stage2_pages=[4K, 2M]").hypervisor.stage2_large);
  assert_int_equal(with("hypervisor.shadow.sync=update").hypervisor.shadow.sync, NW_SHADOW_UPDATE);
  assert_int_equal(with("hypervisor.shadow.steps.slot=3").hypervisor.shadow.steps[NW_SHADOW_SLOT],
                   3);
  assert_int_equal(with("hypervisor.mmio=[{base: 0x10000000, size: 64K}]").hypervisor.mmio[0].base,
                   0x10000000);
  assert_int_equal(with("guest.memory=64MiB").guest.memory, 64 << 20);
  assert_int_equal(with("guest.large_pages=aligned").guest.large_pages, NW_LARGE_ALIGNED);
  assert_int_equal(with("guest.large_pages=always").guest.large_pages, NW_LARGE_ALWAYS);
  assert_int_equal(with("guest.quantum=0").guest.quantum, 0);
  assert_false(with("guest.deprivileged=false").guest.deprivileged);
  assert_int_equal(with("guest.costs.context_switch=11").guest.switch_cycles, 11);
  assert_int_equal(with("guest.costs={fault: 1, page_copy: 6}").guest.page_copy_cycles, 6);
  assert_int_equal(with("seed=18446744073709551615").seed, UINT64_MAX);
  assert_int_equal(with("seed=18446744073709551615").mmu.seed, UINT64_MAX);
}

static struct nw_shadow_config shadow_with(const char *set) {
  return with(set).hypervisor.shadow;
}

static struct nw_ksm_config ksm_with(const char *set) {
  return with(set).hypervisor.ksm;
}

static void every_option_of_shadow_paging_lands_in_its_place(void **state) {
  (void)state;
  struct nw_shadow_config plain = shadow_with(NULL);
  assert_true(plain.cache_roots && plain.flood == 3 && plain.paravirtual_batch == 32);
  assert_false(plain.unsync || plain.direct_faults || plain.paravirtual || plain.large_pages);
  assert_int_equal(plain.memory + plain.prefetch, 0);
  assert_false(shadow_with("hypervisor.shadow.cache_roots=false").cache_roots);
  assert_int_equal(shadow_with("hypervisor.shadow.memory=1MiB").memory, 1 << 20);
  assert_int_equal(shadow_with("hypervisor.shadow.flood=0").flood, 0);
  assert_true(shadow_with("hypervisor.shadow.unsync=true").unsync);
  assert_true(shadow_with("hypervisor.shadow.paravirtual=true").paravirtual);
  assert_int_equal(shadow_with("hypervisor.shadow.paravirtual_batch=7").paravirtual_batch, 7);
  assert_int_equal(shadow_with("hypervisor.shadow.prefetch=8").prefetch, 8);
  assert_true(shadow_with("hypervisor.shadow.large_pages=true").large_pages);
  assert_int_equal(with(NULL).hypervisor.ksm.pages, 0);
  assert_int_equal(with(NULL).hypervisor.ksm.max_sharers, 256);
  assert_int_equal(ksm_with("hypervisor.ksm.pages=100").pages, 100);
  assert_int_equal(ksm_with("hypervisor.ksm.interval=34000000").interval, 34000000);
  assert_int_equal(ksm_with("hypervisor.ksm.max_sharers=9").max_sharers, 9);
  assert_int_equal(ksm_with("hypervisor.ksm.scan_cycles=1").scan_cycles, 1);
  assert_int_equal(ksm_with("hypervisor.ksm.merge_cycles=2").merge_cycles, 2);
  assert_int_equal(ksm_with("hypervisor.ksm.break_cycles=3").break_cycles, 3);
}

static void options_that_the_machine_cannot_have_are_refused(void **state) {
  (void)state;
  assert_has(refused_set("hypervisor.pf_filter=true"), "hypervisor.pf_filter: found true");
  assert_has(refused_set("hypervisor.shadow.direct_faults=true"), "without hypervisor.pf_filter");
  assert_has(refused_set("hypervisor.shadow.memory=64KiB"), "expected 0 or at least 131072");
  assert_has(refused_set("hypervisor.shadow.paravirtual_batch=0"), "expected");
  assert_has(refused_set("hypervisor.shadow.paravirtual_batch=257"), "expected");
  assert_has(refused_set("hypervisor.ksm.max_sharers=1"), "expected");
}

static void sizes_take_units(void **state) {
  (void)state;
  assert_int_equal(with("guest.memory=1048576").guest.memory, 1 << 20);
  assert_int_equal(with("guest.memory=1024K").guest.memory, 1 << 20);
  assert_int_equal(with("guest.memory=1024KiB").guest.memory, 1 << 20);
  assert_int_equal(with("guest.memory=2M").guest.memory, 2 << 20);
  assert_int_equal(with("guest.memory=1GiB").guest.memory, 1 << 30);
  assert_has(refused_set("guest.memory=1MB"), "expected a size");
  assert_has(refused_set("guest.memory=1 MiB"), "expected a size");
  assert_has(refused_set("guest.memory=99999999999T"), "expected a size");
}

static void numbers_are_taken_whole_or_not_at_all(void **state) {
  (void)state;
  static const char *const bad[] = {"4x",
                                    "4.5",
                                    "010",
                                    "-4",
                                    "+4",
                                    "0x10",
                                    "",
                                    "4 4",
                                    "1e3",
                                    "~",
                                    "4K",
                                    "99999999999999999999999999",
                                    "18446744073709551616"};
  char set[64];
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    snprintf(set, sizeof set, "mmu.l2.entries=%s", bad[i]);
    assert_has(refused_set(set), "expected");
  }
  assert_has(refused("512", "4x"),
             "m.yaml:13:17: mmu.l2.entries: found '4x', expected a whole number "
             "from 0 to 1048576");
  assert_has(refused("512", "'512'"), "found the string '512'");
}

static void fractions_are_finite_and_not_negative(void **state) {
  (void)state;
  static const char *const bad[] = {"1e400", "nan", ".nan", "inf",  ".inf",  "-1",  "1.",
                                    ".5",    "1e",  "01.5", "1.5x", "0x1p3", "1001"};
  char set[64];
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    snprintf(set, sizeof set, "core.base_cpi=%s", bad[i]);
    assert_has(refused_set(set), "expected a number from 0 to 1000");
  }
}

static void other_scalars_are_strict_too(void **state) {
  (void)state;
  assert_has(refused_set("guest.deprivileged=maybe"), "expected true or false");
  assert_has(refused_set("guest.deprivileged=1"), "expected true or false");
  assert_has(refused_set("mmu.l2.policy=LRU"), "one of lru, tree-plru, fifo, random");
  assert_has(refused_set("mmu.l2.policy=0"), "one of lru, tree-plru, fifo, random");
  assert_has(refused("armv7", "riscv64"),
             "m.yaml:1:15: architecture: found 'riscv64', expected one of armv7, x86-64");
  assert_has(refused("armv7", "x86-64"),
             "m.yaml:2:9: format: found 'short', expected '4-level' or '5-level'");
  assert_has(refused_set("hypervisor.stage2_pages=[3M]"), "one of 4K, 2M");
  assert_has(refused_set("memory.caches.0.name=0123456789abcdef"), "expected 1 to 15 bytes");
  assert_has(refused_set("memory.caches.0.name=a.b"), "expected letters");
  assert_has(refused_set("memory.caches.0.name=dram"), "behind the caches");
}

static void unknown_and_duplicate_keys_are_refused(void **state) {
  (void)state;
  assert_has(refused("entries", "entris"), "m.yaml:13:8: found the unknown key 'entris' in mmu.l2, "
                                           "expected one of entries, ways, policy, latency");
  assert_has(refused("format:", "formats:"), "m.yaml:2:1: found the unknown key 'formats'");
  assert_has(refused("format: short", "format: short\nformat: lpae"),
             "m.yaml:3:1: found the key 'format' again (first in line 2)");
  assert_has(refused_set("mmu.l9.entries=4"), "--set mmu.l9.entries=4: found the unknown key 'l9'");
}

static void missing_keys_are_named(void **state) {
  (void)state;
  assert_has(refused("format: short\n", ""), "no key 'format'");
  assert_has(refused("    line: 64\n", ""), "m.yaml:6:5: found no key 'line' in memory.caches.0");
  assert_has(refused(", ways: 4", ""), "m.yaml:13:7: mmu.l2.ways: found none");
}

static void wrong_shapes_are_refused(void **state) {
  (void)state;
  assert_has(refused("{entries: 512, ways: 4}", "512"),
             "m.yaml:13:7: mmu.l2: found '512', expected a "
             "group of keys");
  assert_has(refused("512", "[512]"), "mmu.l2.entries: found a list, expected a value");
  assert_has(refused_set("memory.caches={}"), "found a group of keys, expected a list");
  assert_has(refused_set("memory.caches.0.serves=data"), "expected a list");
  assert_has(refused_set("memory.caches.0.serves=[[data]]"), "found a list, expected a value");
  assert_has(refused_set("memory.caches.0.serves=[]"), "empty list");
}

static void yaml_itself_is_checked(void **state) {
  (void)state;
  assert_has(refused("{entries", "{{entries"), "m.yaml:");
  assert_has(refused("short", "&a short"), "m.yaml:2:9: found the anchor 'a'");
  assert_has(refused("short", "*a"), "m.yaml:2:9: found the alias 'a'");
  assert_has(refused("short", "!x short"), "m.yaml:2:9: found the tag '!x'");
  assert_has(refused("mmu:", "---\nmmu:"), "m.yaml:12:1: found a second document");
  assert_has(refused("short", "\"a\\0b\""), "zero byte");
  assert_has(refused("512", "[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"), "levels of nesting");
  struct nw_machine_config config;
  struct nw_config_error error;
  assert_false(parse("", NULL, &config, &error));
  assert_has(error.message, "m.yaml:1:1: found nothing");
  assert_false(parse("# nothing\n", NULL, &config, &error));
  assert_false(parse("\xff\xfe", NULL, &config, &error));
}

static void impossible_tlbs_are_refused(void **state) {
  (void)state;
  assert_has(refused_set("mmu.l2.ways=3"), "--set mmu.l2.ways=3: mmu.l2.ways: found 3, expected a "
                                           "divisor of its 512 entries");
  assert_has(refused_set("mmu.l2.ways=1024"), "divisor");
  assert_has(refused_set("mmu.l2.ways=0"), "mmu.l2.ways");
  assert_has(refused("512", "768"),
             "m.yaml:13:17: mmu.l2: found 768 entries in 4 ways, which is 192 "
             "sets, expected a power of two");
  assert_has(refused_set("mmu.l1d={entries: 12, ways: 6, policy: tree-plru}"),
             "mmu.l1d.policy: found tree-plru with 6 ways");
  assert_has(refused_set("mmu.ipa_cache={entries: 12, ways: 4}"),
             "mmu.ipa_cache: found 12 entries");
  assert_has(refused_set("mmu.walkers=65"), "from 1 to 64");
}

static void an_absent_level_need_not_be_possible(void **state) {
  (void)state;
  assert_int_equal(with("mmu.l2={entries: 0}").mmu.l2.entries, 0);
  assert_int_equal(with("mmu.l2={entries: 0, ways: 3}").mmu.l2.entries, 0);
}

static void impossible_caches_are_refused(void **state) {
  (void)state;
  assert_has(refused("line: 64", "line: 48"), "m.yaml:9:11: memory.caches.0.line: found 48 bytes, "
                                              "expected a power of two");
  assert_has(refused_set("memory.caches.0.line=8192"), "from 4 to 4KiB");
  assert_has(refused_set("memory.caches.0.size=100"), "expected a multiple of 256");
  assert_has(refused_set("memory.caches.0.ways=3"), "expected a multiple of 192");
  assert_has(refused_set("memory.caches.0.size=24KiB"), "which is 96 sets");
  assert_has(refused_set("memory.caches.0.ways=0"), "from 1 to");
  assert_has(refused_set("memory.caches.0.ways=1024"), "memory.caches.0.size: found 32768 bytes");
  assert_has(refused_set("memory.caches=[{name: a, size: 12KiB, ways: 3, line: 64, latency: 1, "
                         "policy: tree-plru}]"),
             "tree-plru with 3 ways");
  assert_has(refused_set("memory.caches=[{name: a, size: 4KiB, ways: 1, line: 64, latency: 1}, "
                         "{name: a, size: 4KiB, ways: 1, line: 64, latency: 1}]"),
             "memory.caches.1.name: found 'a' again");
}

static void impossible_guests_and_hypervisors_are_refused(void **state) {
  (void)state;
  assert_has(refused_set("guest.memory=1048577"), "multiple of 4096");
  assert_has(refused_set("guest.memory=4K"), "from 1MiB to 1TiB");
  assert_has(refused_set("hypervisor.mmio=[{base: 0x10, size: 4K}]"), "multiple of 4096");
  assert_has(refused_set("hypervisor.mmio=[{base: 4K, size: 4097}]"), "multiple of 4096");
  assert_has(refused_set("hypervisor.mmio=[{base: 0, size: 8K}, {base: 4K, size: 4K}]"),
             "overlaps");
  assert_has(refused_set("hypervisor.handler.mmmio=4"), "unknown key 'mmmio'");
}

static void overrides_say_what_is_wrong_with_them(void **state) {
  (void)state;
  assert_has(refused_set("mmu"), "--set mmu: found no '='");
  assert_has(refused_set("mmu="), "found no value");
  assert_has(refused_set("=4"), "empty key");
  assert_has(refused_set("mmu..l2=4"), "empty key");
  assert_has(refused_set("mmu.l2=["), "not YAML");
  assert_has(refused_set("memory.caches.1.size=4K"), "there are 1, the first is 0");
  assert_has(refused_set("memory.caches.00.size=4K"), "number of a list element");
  assert_has(refused_set("memory.dram_latency.x=4"), "below a value");
}

static void later_overrides_win_and_lines_stay_right(void **state) {
  (void)state;
  struct nw_machine_config config;
  struct nw_config_error error;
  const char *const sets[] = {"mmu.l2.ways=2", "mmu.l2.ways=8", "memory.caches.0.size=64KiB"};
  assert_true(nw_config_parse("m.yaml", minimal, strlen(minimal), sets, 3, &config, &error));
  assert_int_equal(config.mmu.l2.ways, 8);
  assert_int_equal(config.memory.cache[0].size, 65536);
  const char *const others[] = {"core.base_cpi=2", "memory.caches.0.latency=1", "mmu.l2.ways=3"};
  assert_false(nw_config_parse("m.yaml", minimal, strlen(minimal), others, 3, &config, &error));
  assert_has(error.message, "--set mmu.l2.ways=3: ");
  char text[1024];
  snprintf(text, sizeof text, "%sseed: 4x\n", minimal);
  assert_false(nw_config_parse("m.yaml", text, strlen(text), others, 2, &config, &error));
  assert_has(error.message, "m.yaml:14:7: seed: found '4x'");
}

static void machines_are_found_by_name_or_path(void **state) {
  (void)state;
  const char *source = getenv("top_srcdir");
  char folder[512];
  snprintf(folder, sizeof folder, "%s/configs/machines", source ? source : ".");
  const char *const folders[] = {"/nonexistent", folder, NULL};
  static const char *const names[] = {"cortex-a15", "cortex-a7", "rtl", "teaching"};
  struct nw_machine_config config;
  struct nw_config_error error;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char *path = nw_config_find(names[i], folders, &error);
    assert_non_null(path);
    if (!nw_config_load(path, NULL, 0, &config, &error))
      fail_msg("%s", error.message);
    assert_string_equal(config.name, names[i]);
    free(path);
  }
  assert_null(nw_config_find("cortex-a16", folders, &error));
  assert_has(error.message, "no machine 'cortex-a16'");
  assert_has(error.message, "cortex-a15, cortex-a7, golden-cove, haswell, nehalem, rtl, skylake, "
                            "teaching, zen2, zen4");
  char *path = nw_config_find("./x.yaml", folders, &error);
  assert_string_equal(path, "./x.yaml");
  assert_false(nw_config_load(path, NULL, 0, &config, &error));
  assert_has(error.message, "./x.yaml: No such file");
  free(path);
  assert_false(nw_config_load("/", NULL, 0, &config, &error));
  assert_has(error.message, "/: ");
}

/* Whatever a file is cut down to, or which byte of it is another: an answer, never a crash. */
static void damaged_files_are_answered(void **state) {
  (void)state;
  struct nw_machine_config config;
  struct nw_config_error error;
  char text[sizeof minimal];
  for (size_t length = 0; length < sizeof minimal; length++)
    nw_config_parse("m.yaml", minimal, length, NULL, 0, &config, &error);
  static const char others[] = "{}[]:,&*!|>'\"%@`#-? \n\t\xc3\x80";
  for (size_t i = 0; i < sizeof minimal - 1; i++) {
    for (const char *other = others; *other; other++) {
      memcpy(text, minimal, sizeof text);
      text[i] = *other;
      error.message[0] = '\0';
      if (!nw_config_parse("m.yaml", text, sizeof text - 1, NULL, 0, &config, &error))
        assert_has(error.message, "m.yaml");
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_given_has_a_default),
      cmocka_unit_test(every_key_lands_in_its_place),
      cmocka_unit_test(every_option_of_shadow_paging_lands_in_its_place),
      cmocka_unit_test(options_that_the_machine_cannot_have_are_refused),
      cmocka_unit_test(sizes_take_units),
      cmocka_unit_test(numbers_are_taken_whole_or_not_at_all),
      cmocka_unit_test(fractions_are_finite_and_not_negative),
      cmocka_unit_test(other_scalars_are_strict_too),
      cmocka_unit_test(unknown_and_duplicate_keys_are_refused),
      cmocka_unit_test(missing_keys_are_named),
      cmocka_unit_test(wrong_shapes_are_refused),
      cmocka_unit_test(yaml_itself_is_checked),
      cmocka_unit_test(impossible_tlbs_are_refused),
      cmocka_unit_test(an_absent_level_need_not_be_possible),
      cmocka_unit_test(impossible_caches_are_refused),
      cmocka_unit_test(impossible_guests_and_hypervisors_are_refused),
      cmocka_unit_test(overrides_say_what_is_wrong_with_them),
      cmocka_unit_test(later_overrides_win_and_lines_stay_right),
      cmocka_unit_test(machines_are_found_by_name_or_path),
      cmocka_unit_test(damaged_files_are_answered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
