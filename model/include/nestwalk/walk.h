/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table walk as a resumable machine. It never touches memory, time or caches itself: it asks,
 * somebody answers, and it goes on until it is done.
 *
 *   nw_walk_begin(&walk, &regime, &request, NW_SCOPE_BOTH, NULL);
 *   while (nw_walk_next(&walk, &step) != NW_STEP_DONE)
 *     nw_walk_answer(&walk, &answer);
 *
 * A walk is the caller's memory, holds a copy of the registers as they were when it began, and may
 * be abandoned at any time. Several may be in flight.
 */
#ifndef NESTWALK_WALK_H
#define NESTWALK_WALK_H

#include <nestwalk/regime.h>

#ifdef __cplusplus
extern "C" {
#endif

enum nw_step_kind {
  NW_STEP_READ = 0, /* read a descriptor; answer with data, or abort */
  NW_STEP_UPDATE,   /* compare-and-swap a descriptor; answer swapped, the value found, or abort */
  NW_STEP_LOOKUP,   /* look into a cache; answer hit with contents, or miss */
  NW_STEP_FILL,     /* put contents into a cache; answer is needed but carries nothing */
  NW_STEP_DONE,     /* the walk has a result; further calls repeat this step */
};

enum nw_space {
  NW_SPACE_PA = 0,
  NW_SPACE_IPA = 1, /* stage 1 alone on a regime whose stage 2 is left to the embedder */
};

enum nw_cache_id {
  NW_WALK_CACHE = 0, /* VA to next-level table: non-leaf stage-1 results */
  NW_IPA_CACHE = 1,  /* IPA to PA: stage-2 results */
};

/* What a walk cache or an IPA cache keeps. */
struct nw_cached {
  uint64_t output; /* walk cache: address of the next table; IPA cache: PA of the page */
  uint64_t key;    /* first VA or IPA covered */
  uint32_t rights; /* walk cache: limits that the tables above set; IPA cache: stage-2 rights */
  uint16_t asid;   /* walk cache only */
  uint16_t vmid;
  uint8_t span_log2; /* the entry covers 2^span_log2 bytes from `key` */
  uint8_t level;     /* walk cache: level of the next lookup; IPA cache: level of the leaf */
  uint8_t attr; /* IPA cache: stage-2 memory attributes, MAIR-style; walk cache: the walker's own
                        note of whose table it is (agile paging), else 0 */
  uint8_t sh;   /* IPA cache: stage-2 shareability */
};

struct nw_step {
  uint8_t kind;     /* enum nw_step_kind */
  uint8_t space;    /* READ, UPDATE: enum nw_space */
  uint8_t size;     /* READ, UPDATE: 4 or 8 bytes, naturally aligned */
  uint8_t stage;    /* READ, UPDATE: whose descriptor */
  uint8_t level;    /* READ, UPDATE: which level's descriptor */
  bool for_s1;      /* READ, UPDATE of stage 2: to reach a stage-1 descriptor, not the final IPA */
  uint8_t s1_level; /* then: that descriptor's level */
  uint8_t cache;    /* LOOKUP, FILL: enum nw_cache_id */
  uint64_t address; /* READ, UPDATE: where; LOOKUP: the VA or IPA looked for */
  uint64_t ipa; /* READ, UPDATE of stage 1: the descriptor's IPA; of stage 2: the IPA walked for */
  uint64_t old_value; /* UPDATE: the descriptor as read, raw as in memory (little-endian load) */
  uint64_t new_value; /* UPDATE: what it is to become */
  struct nw_cached contents; /* FILL: what to keep; LOOKUP: key, asid and vmid are set */
  uint64_t tag;              /* the transaction's tag, when the step comes from an MMU */
};

struct nw_answer {
  uint64_t data;   /* READ: the descriptor, zero-extended; a failed UPDATE: the value found */
  uint32_t cycles; /* what answering cost; added to the walk's cycles */
  bool abort;      /* READ, UPDATE: the memory system refused */
  bool hit;        /* LOOKUP: hit, `contents` valid; UPDATE: swapped */
  struct nw_cached contents;
};

/* The walker's own cycles per step, on top of what the answers cost. One table: walk_cycles.h has
 * the default values; a machine file may override them. */
struct nw_walk_cycles {
  uint16_t begin;             /* miss to first step */
  uint16_t read;              /* issue of one descriptor read and decode of its data */
  uint16_t update;            /* one compare-and-swap */
  uint16_t walk_cache_lookup; /* on top of the cache's latency */
  uint16_t ipa_cache_lookup;  /* likewise */
  uint16_t fill;              /* one fill of a walk cache or IPA cache */
  uint16_t done;              /* result to requester, fault or not */
};

/* How a walk is to be made. */
struct nw_walk_options {
  bool walk_cache;                     /* ask LOOKUP and FILL of the walk cache */
  bool ipa_cache;                      /* ask LOOKUP and FILL of the IPA cache */
  bool stage1_alone;                   /* ignore stage 2 altogether; READs carry NW_SPACE_IPA */
  const struct nw_walk_cycles *cycles; /* NULL: the walk's own steps are free */
};

/* At most this many fills can be held back by one walk. */
#define NW_WALK_FILLS 10

enum nw_descriptor_kind {
  NW_DESCRIPTOR_INVALID = 0,   /* translation fault at this level */
  NW_DESCRIPTOR_TABLE,         /* `output` is the next level's table */
  NW_DESCRIPTOR_LEAF,          /* `output` is the page's address */
  NW_DESCRIPTOR_RESERVED,      /* present, with a reserved bit set */
  NW_DESCRIPTOR_MISCONFIGURED, /* EPT: present, and means nothing */
};

/* What one descriptor means. Fields that its kind does not have are undefined. */
struct nw_descriptor {
  uint64_t output;
  uint64_t updated;       /* the descriptor with the flags that hardware sets for this access */
  uint32_t rights;        /* leaf: raw rights; table: limits for the levels below */
  uint8_t kind;           /* enum nw_descriptor_kind */
  uint8_t page_log2;      /* leaf */
  uint8_t attr;           /* leaf: memory attributes, MAIR-style */
  uint8_t sh;             /* leaf: 0 non, 2 outer, 3 inner */
  bool global;            /* leaf: for every ASID */
  bool access_flag_clear; /* leaf: an access flag fault */
};

/* One stage's table walk: where it stands and the descriptor in hand. Small numbers are not bytes
 * here, since a store of a byte may alias anything and makes the compiler load all again. */
struct nw_stage_walk {
  uint64_t input;         /* address translated: a VA in stage 1, an IPA in stage 2 */
  uint64_t table;         /* address of the table looked into: an IPA in stage 1, a PA in stage 2 */
  uint64_t descriptor_pa; /* where the descriptor in hand is read (an IPA when stage 1 is alone) */
  uint64_t raw;           /* the descriptor as memory has it */
  uint64_t output;        /* leaf reached: the page's address with the input's offset */
  struct nw_descriptor descriptor; /* what it means */
  uint32_t limits;                 /* accumulated from the tables above */
  uint32_t level;
  uint32_t index_bits; /* width of the index into `table` */
};

/* A walk in flight. Its fields are the walker's own; read the result through nw_walk_result(). It
 * must not be moved in memory while it is in flight. */
struct nw_walk {
  struct nw_result result;
  struct nw_references references;
  struct nw_stage_walk s1;
  struct nw_stage_walk s2; /* of whichever IPA is being translated at the moment */
  struct nw_request request;
  struct nw_walk_options options;
  uint64_t s1_descriptor_ipa;
  uint32_t scope; /* enum nw_scope */
  uint32_t state;
  uint32_t s2_access;     /* what stage 2 is asked for: enum nw_access */
  bool s2_for_descriptor; /* its input is a stage-1 descriptor's IPA, not the final one */
  bool s2_to_update;      /* and that descriptor is about to be written */
  bool stage2;            /* stage 2 takes part in this walk; agile: from here on */
  uint32_t agile;         /* agile paging: whose table is read, 0 without */
  bool global;            /* the translation holds for every ASID */
  uint32_t fills;         /* held until the walk ends well */
  uint32_t fills_given;
  uint8_t fill_cache[NW_WALK_FILLS]; /* enum nw_cache_id */
  const struct nw_regime *regime;    /* the registers of the beginning: usually `snapshot` */
  struct nw_regime snapshot;
  struct nw_cached fill[NW_WALK_FILLS];
};

/**
 * Starts a walk in the caller's memory. `regime` and `options` (NULL: no caches, free steps) are
 * copied; `options->cycles` must outlive the walk. A `request->va` that does not fit the regime's VA
 * width (IPA width for NW_SCOPE_STAGE2) gets a fault: ARM a level-1 translation fault, x86 that of a
 * non-canonical address.
 */
void nw_walk_begin(struct nw_walk *walk, const struct nw_regime *regime,
                   const struct nw_request *request, enum nw_scope scope,
                   const struct nw_walk_options *options);

/** Runs the walk to the next thing it needs, describes it in `step` and returns its kind. Calling
 * it again without an answer repeats the same step. */
enum nw_step_kind nw_walk_next(struct nw_walk *walk, struct nw_step *step);

/** Answers the step that nw_walk_next() gave last. Ignored when the walk is done. */
void nw_walk_answer(struct nw_walk *walk, const struct nw_answer *answer);

/** The result of a walk that is done; valid as long as the walk's memory. */
const struct nw_result *nw_walk_result(const struct nw_walk *walk);

/** The references that the walk has made so far. */
const struct nw_references *nw_walk_references(const struct nw_walk *walk);

#ifdef __cplusplus
}
#endif
#endif
