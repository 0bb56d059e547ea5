/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hands out frames of 4 KB, alone or as aligned blocks of a power of two, and counts who holds each
 * one. A block is given back frame by frame; free neighbours grow together again (a buddy system).
 * The same calls in the same order give the same frames.
 */
#ifndef NESTWALK_SYSTEM_FRAME_ALLOCATOR_H
#define NESTWALK_SYSTEM_FRAME_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

#define NW_FRAME_ORDERS 19 /* blocks of 1 frame to 1 GB */
#define NW_FRAME_ORDER_2M 9
#define NW_FRAME_ORDER_1G 18

struct nw_frames; /* opaque */

/** Frames `first` up to `first + count` (below 2^32), all free, in blocks of up to 2^largest. NULL
 * when out of memory. */
struct nw_frames *nw_frames_create(uint64_t first, uint64_t count, unsigned largest);
void nw_frames_destroy(struct nw_frames *frames);

/** Allocates 2^order frames, aligned to their number, each held once. False when there is none. */
bool nw_frames_allocate(struct nw_frames *frames, unsigned order, uint64_t *frame);

/** Takes a free frame out for good, as if it were not there. */
void nw_frames_reserve(struct nw_frames *frames, uint64_t frame);

/** One more holder of an allocated frame. */
void nw_frames_hold(struct nw_frames *frames, uint64_t frame);

/** One holder less; returns true when that was the last and the frame is free now. */
bool nw_frames_drop(struct nw_frames *frames, uint64_t frame);

/** Holders of a frame; 0 when it is free or reserved. */
uint32_t nw_frames_holders(const struct nw_frames *frames, uint64_t frame);

/** True when `frame` is one of this allocator's. */
bool nw_frames_has(const struct nw_frames *frames, uint64_t frame);

/** Number of free frames. */
uint64_t nw_frames_free(const struct nw_frames *frames);

#endif
