/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading traces.
 *
 * A trace holds one stream for each process and thread of a recorded program. A stream is a
 * sequence of 64-bit words; a word is a record, or an operand of the event record before it. The
 * words of a stream come in chunks; an event and its operands are always in the same chunk.
 *
 *   bits 0-3    kind (enum nw_rec_kind)
 *   bits 4-15   aux, meaning depends on the kind
 *   bits 16-63  va, the low 48 bits of a guest virtual address (or a number), not sign-extended
 *
 * A *reference* is one executed instruction, one load or one store.
 *
 * What a trace recorded under QEMU's user mode does not hold: accesses that the kernel makes to the
 * program's buffers (read(), write(), signal frames); the second page of an instruction that
 * straddles a page boundary (its fetch counts for the page it starts in); the order between
 * streams, but for FORK. A straight run that a fault or a signal cuts short is recorded whole.
 */
#ifndef NW_TRACE_TRACE_H
#define NW_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of records. */
enum nw_rec_kind {
  /* A straight run of instructions that start in one 4 KiB page.
   * va: address of the first; aux: how many, 1 to NW_REC_AUX_MAX. */
  NW_REC_BLOCK = 1,
  /* One load. va: address; aux: size in bytes. It may cross a page. Loads and stores come after the
   * block whose instructions make them. */
  NW_REC_LOAD = 2,
  /* One store; as NW_REC_LOAD. */
  NW_REC_STORE = 3,
  /* A system call: the program enters the kernel, and comes back before the next record.
   * va: the architecture's number of the call; aux: 0. Events that tell its effect follow it. */
  NW_REC_SYSCALL = 4,
  /* Something that changes address spaces or processes. aux: enum nw_event; va: number of operand
   * words that follow. A reader skips the operands of events that it does not know. */
  NW_REC_EVENT = 5,
};

/* Events: only what succeeded, with its effect. Operand words are listed in order. All addresses
 * and lengths are in bytes; addresses are guest virtual addresses with all their 64 bits. Lengths
 * of MAP, UNMAP, PROTECT and REMAP are multiples of the page size. */
enum nw_event {
  /* address, length, protection (NW_PROT_*), flags (NW_MAP_*). Whatever was mapped there before is
   * replaced. A stream that starts a program begins with the MAPs of its image, stack and the
   * like. */
  NW_EVENT_MAP = 1,
  /* address, length. Parts of it may not have been mapped. */
  NW_EVENT_UNMAP = 2,
  /* address, length, protection (NW_PROT_*). */
  NW_EVENT_PROTECT = 3,
  /* old end, new end of the heap, not page-aligned. The pages from old end to new end, both rounded
   * up to a page, become mapped (new > old; readable, writable, anonymous) or unmapped (new < old).
   * The first BRK of a program may have old == new: it tells where the heap starts. */
  NW_EVENT_BRK = 4,
  /* old address, old length, new address, new length. The contents move; the old range becomes
   * unmapped where the new one does not cover it. An old length of 0 duplicates a shared
   * mapping. */
  NW_EVENT_REMAP = 5,
  /* child stream, flags (NW_FORK_*), child's id as the parent sees it (pid, or tid of a thread).
   * The child starts at its record 0 with a copy of the parent's address space as it is here, or
   * shares it if NW_FORK_SHARES_MEMORY is set. A child that was killed before it ran has no
   * records. */
  NW_EVENT_FORK = 6,
  /* flags (NW_EXEC_*). The address space is dropped, and with it all other threads of the process;
   * the MAPs of the new program's layout follow. */
  NW_EVENT_EXEC = 7,
  /* status, flags (NW_EXIT_*). Always the last record of a stream, except after NW_EXEC_UNRECORDED.
   * A process ends with NW_EXIT_PROCESS, or when the last of its threads ends. */
  NW_EVENT_EXIT = 8,
  /* address, length, tag, number of the first page. The pages of the range hold the data that the
   * tag names (0: zeros), from that page of it on, until they are stored to: for hosts that merge
   * equal pages. A recording's tag names the contents of a file. Readers of before this event skip
   * it. */
  NW_EVENT_CONTENT = 9,
};

/* Largest number of operands that this version of the format uses, and that it allows. */
#define NW_EVENT_OPERANDS_USED 4
#define NW_EVENT_OPERANDS_MAX 64

#define NW_PROT_READ 1u
#define NW_PROT_WRITE 2u
#define NW_PROT_EXEC 4u

#define NW_MAP_FILE 1u    /* backed by a file; without it, anonymous */
#define NW_MAP_SHARED 2u  /* stays shared between parent and child after a fork: no copy-on-write */
#define NW_MAP_STACK 4u   /* the initial stack, or a mapping asked for as a stack; may grow down */
#define NW_MAP_INITIAL 8u /* part of the layout that a program starts with */

#define NW_FORK_SHARES_MEMORY 1u /* a thread: same address space, same process */
#define NW_FORK_VFORK 2u /* the program asked for vfork; recorded with a copy, as QEMU runs it */

#define NW_EXEC_UNRECORDED 1u /* the new program could not be recorded: the stream ends here */

#define NW_EXIT_PROCESS 1u /* the whole process ends; without it, only this thread */
#define NW_EXIT_KILLED 2u  /* ended by a signal, or by another thread's exit or exec; status is 0 */

#define NW_REC_AUX_MAX 0xfffu
#define NW_REC_VA_MASK 0xffffffffffffull

static inline enum nw_rec_kind nw_rec_kind(uint64_t record) {
  return (enum nw_rec_kind)(record & 0xf);
}

static inline uint32_t nw_rec_aux(uint64_t record) {
  return (uint32_t)(record >> 4) & NW_REC_AUX_MAX;
}

static inline uint64_t nw_rec_va(uint64_t record) {
  return record >> 16;
}

/* The address itself: an upper half of an address space is told by bit 47 (x86-64). */
static inline uint64_t nw_rec_address(uint64_t record) {
  return (uint64_t)((int64_t)record >> 16);
}

static inline uint64_t nw_rec_make(enum nw_rec_kind kind, uint32_t aux, uint64_t va) {
  return (va & NW_REC_VA_MASK) << 16 | (uint64_t)(aux & NW_REC_AUX_MAX) << 4 | (uint64_t)kind;
}

/* Limits that readers enforce before they allocate or read; a file beyond them is refused. */
#define NW_TRACE_CHUNK_WORDS (64u * 1024)            /* what the writer uses */
#define NW_TRACE_CHUNK_WORDS_MAX (1024u * 1024)      /* what a reader accepts */
#define NW_TRACE_CHUNK_BYTES_MAX (16u * 1024 * 1024) /* compressed */
#define NW_TRACE_HEADER_BYTES_MAX (4u * 1024 * 1024) /* command lines included */
#define NW_TRACE_STREAMS_MAX (1024u * 1024)
#define NW_TRACE_STRING_MAX (1024u * 1024)

/* Results of the functions below; the message in struct nw_trace_error says more. */
enum nw_trace_result {
  NW_TRACE_OK = 0,
  NW_TRACE_IO = -1,        /* the operating system refused: errno's text is in the message */
  NW_TRACE_NOT_TRACE = -2, /* no trace: wrong magic number */
  NW_TRACE_VERSION = -3,   /* a version that this reader does not know */
  NW_TRACE_TRUNCATED = -4, /* ends too early, or lacks its trailer: the recorder was killed */
  NW_TRACE_DAMAGED = -5,   /* a checksum or a field contradicts the contents */
  NW_TRACE_LIMIT = -6,     /* a size beyond the limits above */
  NW_TRACE_NO_MEMORY = -7,
};

/* What went wrong. `message` is one line without newline: file, offset, found, expected. */
struct nw_trace_error {
  enum nw_trace_result result;
  uint64_t offset; /* byte offset in the file that the message is about */
  char message[512];
};

struct nw_trace;        /* an open trace */
struct nw_trace_cursor; /* a place in one stream */

#define NW_TRACE_INTERRUPTED 1u /* the recording was ended by a signal to the recorder (Ctrl-C) */

/* The file's header and totals. Strings belong to the trace. */
struct nw_trace_header {
  uint32_t version;         /* of the format */
  const char *architecture; /* "armv7" or "x86-64" */
  uint32_t page_size;       /* in bytes */
  const char *target;       /* what ran the program, such as "qemu-arm" */
  const char *recorder;     /* program and version that wrote the file */
  uint64_t time;            /* of the recording's start, seconds since 1970 */
  size_t argc;              /* the recorded command line */
  const char *const *argv;  /* argc strings */
  uint32_t flags;           /* NW_TRACE_INTERRUPTED */
  uint64_t file_bytes;      /* size of the file */
  uint64_t checksum;        /* of the file: stands for every byte of it (trace/format.h) */
};

#define NW_TRACE_NO_STREAM UINT32_MAX

#define NW_STREAM_NOT_STARTED 1u /* the number was reserved for a fork that failed: no records */
#define NW_STREAM_KILLED 2u      /* did not end by its own exit (NW_EXIT_KILLED) */
#define NW_STREAM_THREAD 4u      /* shares the address space of its parent */

/* Counts of records of a stream or of a whole trace. */
struct nw_trace_counts {
  uint64_t words;   /* records and operands: the length of the stream in words */
  uint64_t records; /* records, operands not counted */
  uint64_t instructions;
  uint64_t loads;
  uint64_t stores;
  uint64_t syscalls;
  uint64_t events;
};

static inline uint64_t nw_trace_references(const struct nw_trace_counts *counts) {
  return counts->instructions + counts->loads + counts->stores;
}

/* One stream. Strings belong to the trace. */
struct nw_trace_stream {
  uint32_t id;          /* 0 to number of streams - 1; 0 is the program's first thread */
  uint32_t parent;      /* stream that forked this one, or NW_TRACE_NO_STREAM */
  uint64_t parent_word; /* index of the parent's FORK event, counted in words of its stream */
  uint32_t pid, tid;    /* as in the recorded system; 0: not known */
  uint32_t flags;       /* NW_STREAM_* */
  const char *program;  /* the program that ran last, as given to exec */
  uint32_t chunks;
  struct nw_trace_counts counts;
};

/* Opens a trace and checks its header, trailer and index, but not its chunks. On success *trace is
 * to be closed with nw_trace_close; on failure it is NULL and *error (may be NULL) says why. */
enum nw_trace_result nw_trace_open(const char *path, struct nw_trace **trace,
                                   struct nw_trace_error *error);

/* Frees everything that was handed out; cursors must be closed before. NULL is fine. */
void nw_trace_close(struct nw_trace *trace);

const char *nw_trace_path(const struct nw_trace *trace);
const struct nw_trace_header *nw_trace_get_header(const struct nw_trace *trace);
size_t nw_trace_stream_count(const struct nw_trace *trace);

/* `stream` must be below nw_trace_stream_count. */
const struct nw_trace_stream *nw_trace_get_stream(const struct nw_trace *trace, uint32_t stream);

/* Totals over all streams, from the index. */
const struct nw_trace_counts *nw_trace_totals(const struct nw_trace *trace);

/* Opens a cursor at the start of a stream; NULL when there is no memory or no such stream. Cursors
 * of one trace may be used from different threads, each cursor from one thread at a time. */
struct nw_trace_cursor *nw_trace_cursor_open(struct nw_trace *trace, uint32_t stream);
void nw_trace_cursor_close(struct nw_trace_cursor *cursor);

/* Decodes the next chunk. On success *words points to *count words that stay valid until the
 * cursor's next call, or *count is 0 at the end of the stream (*words is NULL then). Kinds, operand
 * counts and block lengths have been checked, so that a consumer can step through the array without
 * checks. On failure *error (may be NULL) names the chunk's offset; the cursor stays at that
 * chunk. */
enum nw_trace_result nw_trace_next_chunk(struct nw_trace_cursor *cursor, const uint64_t **words,
                                         size_t *count, struct nw_trace_error *error);

/* Moves to the chunk that holds the word `word` of the stream (0: the start); the next call of
 * nw_trace_next_chunk returns that chunk, whose first word has index *first. Beyond the end, the
 * cursor is at the end and *first is the stream's length. */
void nw_trace_cursor_seek(struct nw_trace_cursor *cursor, uint64_t word, uint64_t *first);

/* From here on cursors of the trace share decoded chunks, up to `chunks` that nobody looks at: for
 * several runs that go through it side by side. To be called before the first cursor is opened;
 * false when out of memory. */
bool nw_trace_share_chunks(struct nw_trace *trace, size_t chunks);

/* Reads every chunk of the file and checks all checksums and counts. Stops at the first error. */
enum nw_trace_result nw_trace_verify(struct nw_trace *trace, struct nw_trace_error *error);

/* What could be read from a file whose trailer is missing or damaged. */
struct nw_trace_salvage {
  uint64_t file_bytes;
  uint64_t good_bytes; /* up to the end of the last chunk that is whole */
  uint64_t chunks;     /* whole chunks */
  uint32_t streams;    /* streams that have whole chunks */
  struct nw_trace_counts counts;
};

/* Scans a file chunk by chunk without using its index. Succeeds if the header is good; *salvage
 * then says how far the file is whole, and *error (may be NULL) what stopped the scan, if anything
 * did. */
enum nw_trace_result nw_trace_scan(const char *path, struct nw_trace_salvage *salvage,
                                   struct nw_trace_error *error);

#endif
