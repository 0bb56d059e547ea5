/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers are put together by hand rather than with printf(): case files of millions of queries are
 * ordinary, and printing would take most of the time.
 */
#include "case/answer.h"

#include <string.h>

/* -- steps ------------------------------------------------------------------------------------- */

void nw_case_serve(struct nw_case_memory *memory, const struct nw_step *step,
                   struct nw_answer *answer) {
  memset(answer, 0, sizeof(*answer));
  if (step->kind == NW_STEP_READ) {
    answer->abort = !nw_case_memory_read(memory, step->address, step->size, &answer->data);
  } else if (step->kind == NW_STEP_UPDATE) {
    answer->abort = !nw_case_memory_update(memory, step->address, step->size, step->old_value,
                                           step->new_value, &answer->data);
    answer->hit = !answer->abort && answer->data == step->old_value;
  }
}

/* -- text -------------------------------------------------------------------------------------- */

static char *put(char *at, const char *text) {
  size_t length = strlen(text);
  memcpy(at, text, length);
  return at + length;
}

/* `value` as 0x and at least `digits` digits. */
static char *put_hex(char *at, uint64_t value, unsigned digits) {
  while (digits < 16 && value >> 4 * digits)
    digits++;
  *at++ = '0';
  *at++ = 'x';
  while (digits--)
    *at++ = "0123456789abcdef"[value >> 4 * digits & 15];
  return at;
}

static char *put_digit(char *at, unsigned value) {
  *at++ = (char)('0' + value % 10);
  return at;
}

unsigned nw_case_address_digits(const struct nw_regime *regime) {
  return regime->architecture == NW_ARMV7 ? 10 : 16;
}

static char *put_ok(char *at, const struct nw_regime *regime, const struct nw_result *result) {
  at = put(at, "ok pa=");
  at = put_hex(at, result->pa, nw_case_address_digits(regime));
  at = put(at, " size=");
  at = put_hex(at, (uint64_t)1 << result->page_log2, 1);
  if (regime->architecture != NW_ARMV7)
    return at;
  at = put(at, " attr=");
  at = put_hex(at, result->attr, 2);
  at = put(at, " sh=");
  return put_digit(at, result->sh);
}

/* The bits of a page fault's error code, each with its name. */
static char *put_code(char *at, uint32_t code) {
  static const struct {
    const char *name;
    uint32_t bit;
  } bits[] = {
      {" p=", NW_PF_PRESENT},     {" w=", NW_PF_WRITE},  {" u=", NW_PF_USER},
      {" rsvd=", NW_PF_RESERVED}, {" id=", NW_PF_FETCH}, {" pk=", NW_PF_KEY},
  };
  for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
    at = put(at, bits[i].name);
    at = put_digit(at, (code & bits[i].bit) != 0);
  }
  return at;
}

static char *put_syndrome(char *at, const struct nw_syndrome *syndrome) {
  static const char *const name[] = {
      [NW_SYNDROME_DFSR] = "DFSR:", [NW_SYNDROME_IFSR] = "IFSR:", [NW_SYNDROME_HSR] = "HSR:",
      [NW_SYNDROME_PF] = "PF:",     [NW_SYNDROME_NPF] = "NPF:",   [NW_SYNDROME_EPT] = "EPT:"};
  uint64_t value = syndrome->value[0];
  if (syndrome->kind == NW_SYNDROME_NONE)
    return at;
  if (syndrome->kind == NW_SYNDROME_PF || syndrome->kind == NW_SYNDROME_NPF)
    at = put_code(at, syndrome->value[0]);
  if (syndrome->kind == NW_SYNDROME_NPF)
    value |= (uint64_t)syndrome->value[1] << 32;
  at = put(at, " syndrome=");
  at = put(at, name[syndrome->kind]);
  at = put_hex(at, value, 1);
  if (syndrome->kind != NW_SYNDROME_HSR)
    return at;
  at = put(at, ",HPFAR:");
  return put_hex(at, syndrome->value[1], 1);
}

static char *put_fault(char *at, const struct nw_regime *regime, const struct nw_fault *fault) {
  struct nw_syndrome syndrome = nw_fault_syndrome(regime, fault);
  at = put(at, "fault stage=");
  at = put_digit(at, fault->stage);
  at = put(at, " s1walk=");
  at = put_digit(at, fault->s1walk);
  at = put(at, " level=");
  at = put_digit(at, fault->level);
  at = put(at, " type=");
  at = put(at, nw_fault_name((enum nw_fault_type)fault->type));
  if (regime->architecture != NW_ARMV7 && fault->stage == 2) {
    at = put(at, " gpa=");
    at = put_hex(at, fault->ipa, nw_case_address_digits(regime));
  }
  return put_syndrome(at, &syndrome);
}

/* ` upd=ADDR:VALUE` for every descriptor changed, in order of address. */
static char *put_updates(char *at, const char *end, const struct nw_regime *regime,
                         const struct nw_case_memory *memory) {
  size_t count;
  const struct nw_case_update *update = nw_case_memory_updates(memory, &count);
  for (size_t i = 0; i < count && end - at > 48; i++) {
    at = put(at, " upd=");
    at = put_hex(at, update[i].address, nw_case_address_digits(regime));
    at = put(at, ":");
    at = put_hex(at, update[i].value, 2 * update[i].size);
  }
  return at;
}

size_t nw_case_format(const struct nw_case_reader *reader, const struct nw_result *result,
                      char *text) {
  char *at = text;
  if (result->fault.type == NW_FAULT_NONE)
    at = put_ok(at, &reader->regime, result);
  else
    at = put_fault(at, &reader->regime, &result->fault);
  if (reader->update_check)
    at = put_updates(at, text + NW_CASE_ANSWER_SIZE, &reader->regime, reader->memory);
  *at = '\0';
  return (size_t)(at - text);
}
