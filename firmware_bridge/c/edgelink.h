/* The node's side of the edgelink protocol, version 1 (docs/firmware.md): for a microcontroller, on any byte stream.
 * C99; no malloc, no libc but string.h, no interrupts or timers of its own: you hand in bytes, it calls your hooks. */
#ifndef EDGELINK_H
#define EDGELINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDGELINK_VERSION 1u
#define EDGELINK_MIN_FRAME 64u /* every node has to receive so much */

enum { EDGELINK_I8 = 1, EDGELINK_U8, EDGELINK_I16, EDGELINK_U16, EDGELINK_I32, EDGELINK_U32, EDGELINK_F32 };

enum { /* results of a command */
    EDGELINK_DONE,
    EDGELINK_UNKNOWN,
    EDGELINK_ARGUMENT,
    EDGELINK_NOT_NOW,
    EDGELINK_FAILED,
    EDGELINK_MISMATCH
};

enum { /* commands; `command` sees set_rate, confirm_image and 128-255, the library does the others */
    EDGELINK_START = 1,
    EDGELINK_STOP,
    EDGELINK_SET_RATE,
    EDGELINK_REBOOT,
    EDGELINK_ENTER_BOOTLOADER,
    EDGELINK_CONFIRM_IMAGE
};

enum { EDGELINK_BOOTLOADER = 1, EDGELINK_CONFIRMED = 2, EDGELINK_STREAMING = 4, EDGELINK_POLLED = 8 };
enum { EDGELINK_NAK_TYPE = 1, EDGELINK_NAK_BODY, EDGELINK_NAK_VERSION, EDGELINK_NAK_NOTHING, EDGELINK_NAK_ROOM };
enum { EDGELINK_DEBUG = 1, EDGELINK_INFO, EDGELINK_WARNING, EDGELINK_ERROR };

typedef struct {
    const char *name, *unit;
    float scale, offset;  /* value = raw * scale + offset */
    uint32_t rate_mhz;    /* rows per second * 1000; you change it on set_rate */
    uint8_t block, type;  /* channels of one block travel together, row by row */
} edgelink_channel;

/* What the node is and can do; must live as long as the link. Hooks that are NULL mean "cannot". */
typedef struct {
    const char *board, *name, *version, *build;
    const edgelink_channel *channels;
    uint8_t channel_count;
    uint8_t address; /* 0: point to point. 1-254: on a shared pair, speaks only when asked */
    void *user;      /* handed to the hooks */

    void (*send)(void *user, const uint8_t *bytes, size_t n); /* required; takes all of them */
    uint32_t (*now_us)(void *user);                           /* required; even, wraps at 2^32 */
    size_t (*room)(void *user); /* free bytes of the send buffer; NULL: send waits. Replies never ask */
    uint8_t (*command)(void *user, uint8_t command, const uint8_t *arguments, size_t n);
    bool has_bootloader; /* `restart` can enter one; else enter_bootloader is an unknown command */
    void (*restart)(void *user, bool into_bootloader); /* called when the ACK has been sent */
    void (*poll)(void *user);                          /* call edgelink_readings or edgelink_log once, or nothing */
    /* Any other request, such as BOOT_*: write the reply's body, give its length, or -EDGELINK_NAK_x. */
    int (*request)(void *user, uint8_t type, const uint8_t *body, size_t n, uint8_t *reply, size_t room);
} edgelink_node;

typedef struct {
    uint32_t crc_errors, length_errors;   /* counted here */
    uint32_t overruns, ring_overflows;    /* counted by you: write them whenever they change */
    uint32_t tx_dropped, repeats;         /* counted here */
} edgelink_status;

typedef struct {
    const edgelink_node *node;
    edgelink_status status;
    uint32_t boot_id, image_length, image_crc32; /* yours to set before the first feed */
    uint8_t flags;                               /* EDGELINK_BOOTLOADER, EDGELINK_CONFIRMED: yours */
    bool streaming;
    /* The rest is private. */
    uint8_t *rx, *tx;
    uint16_t max_frame, rx_n, tx_n, last_id;
    uint32_t received_us, started_us;
    uint8_t left, code, sequence, asked_sequence, asked_type, last_result, last_command;
    bool seen, skipping, asking, answered, have_last, have_asked;
} edgelink;

/* `rx` and `tx` are yours; the longest frame is the smaller capacity (at least 64, at most 65535) and is told in HELLO.
 * False when a buffer is too small or a required hook is missing: nothing was touched. */
bool edgelink_init(edgelink *link, const edgelink_node *node, uint8_t *rx, size_t rx_capacity, uint8_t *tx,
                   size_t tx_capacity);

/* Bytes from the line, any number, from the main loop (not from an interrupt). Replies are sent before it returns. */
void edgelink_feed(edgelink *link, const uint8_t *bytes, size_t n);

/* The greeting at the start of a node with address 0. */
void edgelink_hello(edgelink *link);

/* Sends a block. `made` is your counter of this block id, zero at start; it counts also what could not be sent.
 * `values`: rows * channels of the block, packed, little endian. False: not started, or no room (counted). */
bool edgelink_readings(edgelink *link, uint8_t block, uint32_t *made, uint32_t time_us, uint16_t rows,
                       const void *values, size_t n);

/* Values that fit into one READINGS frame, bytes. */
size_t edgelink_readings_room(const edgelink *link);

/* Text for the host's log; what does not fit is cut. */
bool edgelink_log(edgelink *link, uint8_t level, const char *text);

/* CRC-32 of IEEE 802.3; begin with 0 and hand the result on for the next piece. */
uint32_t edgelink_crc32(uint32_t crc, const void *bytes, size_t n);

/* Length and CRC of an image in memory-mapped flash, from the linker's symbols. Elsewhere set the fields yourself. */
void edgelink_image(edgelink *link, const void *start, const void *end);

uint16_t edgelink_get16(const uint8_t *from);
uint32_t edgelink_get32(const uint8_t *from);
uint8_t *edgelink_put16(uint8_t *to, uint16_t value); /* gives the place behind it */
uint8_t *edgelink_put32(uint8_t *to, uint32_t value);

#ifdef __cplusplus
}
#endif
#endif
