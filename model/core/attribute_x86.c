/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory types of x86, and the guest's with the hypervisor's. What MTRRs say of the machine's memory is
 * taken to be write-back.
 */
#include "core/attribute.h"

enum { UC = 0, WC = 1, WT = 4, WP = 5, WB = 6, UC_ = 7 /* UC-: uncached, but WC may override */ };

/* APM vol. 2, table 15-19 (recalled): [nested table's type][guest's type]; 2 and 3 are reserved. */
static const uint8_t with_npt[8][8] = {
    [UC] = {[UC] = UC, [WC] = WC, [WT] = UC, [WP] = UC, [WB] = UC, [UC_] = UC},
    [WC] = {[UC] = UC, [WC] = WC, [WT] = UC, [WP] = UC, [WB] = WC, [UC_] = WC},
    [WT] = {[UC] = UC, [WC] = WC, [WT] = WT, [WP] = UC, [WB] = WT, [UC_] = UC},
    [WP] = {[UC] = UC, [WC] = WC, [WT] = UC, [WP] = WP, [WB] = WP, [UC_] = UC},
    [WB] = {[UC] = UC, [WC] = WC, [WT] = WT, [WP] = WP, [WB] = WB, [UC_] = UC},
    [UC_] = {[UC] = UC, [WC] = WC, [WT] = UC, [WP] = UC, [WB] = UC, [UC_] = UC_},
};

/* SDM vol. 3, 29.3.7.2: an EPT entry's type stands where an MTRR's would, table 12-7 (recalled). */
static const uint8_t with_ept[8][8] = {
    [UC] = {[UC] = UC, [WC] = WC, [WT] = UC, [WP] = UC, [WB] = UC, [UC_] = UC},
    [WC] = {[UC] = UC, [WC] = WC, [WT] = UC, [WP] = UC, [WB] = WC, [UC_] = WC},
    [WT] = {[UC] = UC, [WC] = WC, [WT] = WT, [WP] = WP, [WB] = WT, [UC_] = UC},
    [WP] = {[UC] = UC, [WC] = WC, [WT] = UC, [WP] = WP, [WB] = WP, [UC_] = WC},
    [WB] = {[UC] = UC, [WC] = WC, [WT] = WT, [WP] = WP, [WB] = WB, [UC_] = UC},
};

uint8_t nwi_x86_combine(const struct nw_regime *regime, uint8_t guest, uint8_t host) {
  if (regime->kind == NW_REGIME_X86_SVM_NPT) {
    return with_npt[host & 7u][guest & 7u];
  }
  return host & NWI_X86_IGNORE_PAT ? host & 7u : with_ept[host & 7u][guest & 7u];
}
