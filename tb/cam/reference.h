/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C core's store of translations behind the ports of rtl/nw_cam.sv: one cycle in, what the CAM
 * must answer in that cycle out. It also counts what has happened, so that the bench can tell that
 * its random cycles reach every rule.
 */
#ifndef NW_TB_CAM_REFERENCE_H
#define NW_TB_CAM_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The CAM's parameters; its data are 64 bits wide here. */
struct cam_parameters {
  unsigned entries;
  unsigned key_width;
  bool nested;
};

/* Keys are address bits from bit 12 up; a context is stage switches above an 8-bit VMID. */
struct cam_cycle {
  bool lookup;
  uint32_t lookup_key;
  uint8_t lookup_asid;
  uint16_t lookup_context;

  bool install;
  uint32_t install_key;
  uint8_t install_size; /* code of rtl/nw_pkg.sv, in order of size */
  uint8_t install_asid;
  uint16_t install_context;
  bool install_global;
  uint64_t install_data; /* of its own in every install */

  bool drop;
  bool drop_by_key, drop_by_asid, drop_globals, drop_by_vmid;
  uint32_t drop_key;
  uint8_t drop_asid;
  uint8_t drop_vmid;
};

/* Fields that mean nothing are 0. */
struct cam_answer {
  bool hit;
  uint8_t hit_way, hit_size;
  uint64_t hit_data;
  bool evict;
  uint8_t install_way;
};

enum { CAM_PAGE_SIZES = 6, CAM_DROP_FORMS = 16 };

/* What has happened, and how often: see cam_event_name(). */
enum cam_event {
  CAM_HIT_FIRST_SIZE = 0, /* six of these, one for each size */
  CAM_HIT_GLOBAL_OF_ANOTHER_ASID = CAM_HIT_FIRST_SIZE + CAM_PAGE_SIZES,
  CAM_HIT_SMALLEST_OF_SEVERAL,
  CAM_HIT_BESIDE_A_DROP,
  CAM_PASSED_OVER_FOR_ASID,
  CAM_PASSED_OVER_FOR_VMID,
  CAM_PASSED_OVER_FOR_STAGE_SWITCHES,
  CAM_MISS_BY_A_DROP_OF_THE_SAME_CYCLE,
  CAM_INSTALL_IN_A_FREE_WAY,
  CAM_INSTALL_EVICTS,
  CAM_INSTALL_IN_THE_ROOM_OF_A_DROP,
  CAM_INSTALL_REPLACES_ITS_OWN_SPAN,
  CAM_INSTALL_DROPS_A_LARGER,
  CAM_INSTALL_DROPS_SMALLER,
  CAM_INSTALL_DROPS_SEVERAL,
  CAM_INSTALL_KEEPS_A_SPAN_AROUND_OR_INSIDE,
  CAM_INSTALL_KEEPS_ANOTHER_ASID,
  CAM_INSTALL_KEEPS_ANOTHER_CONTEXT,
  CAM_INSTALL_OF_GLOBAL_DROPS_AN_ASIDS,
  CAM_INSTALL_OF_AN_ASIDS_DROPS_GLOBAL,
  CAM_DROP_ON_EVERY_STAGE_SWITCH,
  CAM_FIRST_DROP_FORM, /* sixteen: the form's four switches, see cam_drop_form() */
  CAM_FIRST_SPARING_FORM = CAM_FIRST_DROP_FORM + CAM_DROP_FORMS, /* it left an entry where it was */
  CAM_EVENTS = CAM_FIRST_SPARING_FORM + CAM_DROP_FORMS
};

struct cam_reference;

/** NULL when memory is out. */
struct cam_reference *cam_reference_create(const struct cam_parameters *parameters);
void cam_reference_destroy(struct cam_reference *reference);

/** One cycle: drop, then install, then lookup. */
struct cam_answer cam_reference_cycle(struct cam_reference *reference,
                                      const struct cam_cycle *cycle);

/** How often each event has happened since the creation. */
const uint64_t *cam_reference_events(const struct cam_reference *reference);

/** The event in words, into `name`; and whether a CAM of these parameters can see it at all. */
void cam_event_name(unsigned event, char *name, unsigned size);
bool cam_event_can_happen(unsigned event, const struct cam_parameters *parameters);

#ifdef __cplusplus
}
#endif
#endif
