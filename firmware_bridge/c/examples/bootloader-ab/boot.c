/* An A/B bootloader for the micro:bit (nRF51): starts the newest image that proved itself or has not yet had its one
 * start, and answers BOOT_* (docs/firmware.md). It never erases the confirmed image that would start now. */
#include "board.h"
#include "cortexm.h"
#include "edgelink.h"
#include "slots.h"

#define WRITE_MAX 496u
#ifndef PATIENCE_US
#define PATIENCE_US 60000000u /* without a BOOT_* request: whoever was flashing has died */
#endif
#define NVIC_ICER REG(0xE000E180)

extern void *const own_vectors[];
extern const uint8_t _image_start[], _image_end[];
static uint8_t rx[512], tx[512];
static edgelink link;
static bool go;
static uint32_t asked_us; /* the last BOOT_* request; HELLO does not count, a host asks that for ever */

static uint8_t *put_range(uint8_t *to, const uint8_t *body, uint8_t result) {
    *to++ = result;
    *to++ = body[0];
    return edgelink_put32(to, edgelink_get32(body + 1));
}

static bool inside(uint32_t offset, uint32_t length) { return offset <= SLOT_SIZE && length <= SLOT_SIZE - offset; }

static bool untouchable(uint8_t slot) { return slot_state(slot) == SLOT_CONFIRMED && slot_active() == slot; }

static int info(const uint8_t *body, size_t n, uint8_t *reply) {
    uint8_t *at = reply;
    if (n < 1) return -EDGELINK_NAK_BODY;
    uint8_t slot = body[0];
    bool known = slot < SLOTS;
    const slot_record *record = known ? slot_recorded(slot) : NULL;
    *at++ = known ? EDGELINK_DONE : EDGELINK_ARGUMENT;
    *at++ = slot;
    *at++ = SLOTS;
    *at++ = slot_active();
    *at++ = known ? slot_state(slot) : 0;
    at = edgelink_put32(edgelink_put32(at, known ? SLOT_BASE(slot) : 0), known ? SLOT_SIZE : 0);
    at = edgelink_put16(edgelink_put32(at, SLOT_PAGE), WRITE_MAX);
    at = edgelink_put32(edgelink_put32(at, record ? record->length : 0), record ? record->crc32 : 0);
    return (int)(at - reply);
}

static uint8_t erase_pages(uint8_t slot, uint32_t offset, uint32_t length) {
    if (slot >= SLOTS || offset % SLOT_PAGE || length % SLOT_PAGE || !inside(offset, length)) return EDGELINK_ARGUMENT;
    if (untouchable(slot)) return EDGELINK_NOT_NOW;
    if (!slot_forget(slot)) return EDGELINK_FAILED;
    for (uint32_t at = offset; at < offset + length; at += SLOT_PAGE)
        if (!flash_erase(SLOT_BASE(slot) + at)) return EDGELINK_FAILED;
    return EDGELINK_DONE;
}

static int erase(const uint8_t *body, size_t n, uint8_t *reply) {
    if (n < 9) return -EDGELINK_NAK_BODY;
    uint8_t result = erase_pages(body[0], edgelink_get32(body + 1), edgelink_get32(body + 5));
    uint8_t *at = edgelink_put32(put_range(reply, body, result), edgelink_get32(body + 5));
    return (int)(at - reply);
}

static int write(const uint8_t *body, size_t n, uint8_t *reply) {
    if (n < 5) return -EDGELINK_NAK_BODY;
    uint32_t offset = edgelink_get32(body + 1), length = (uint32_t)n - 5u;
    uint8_t result = EDGELINK_DONE;
    if (body[0] >= SLOTS || offset % 4u || length % 4u || !inside(offset, length)) result = EDGELINK_ARGUMENT;
    else if (slot_recorded(body[0])) result = EDGELINK_NOT_NOW; /* a checked image is erased first */
    else if (!flash_write(SLOT_BASE(body[0]) + offset, body + 5, length)) result = EDGELINK_FAILED;
    uint8_t *at = edgelink_put16(put_range(reply, body, result), (uint16_t)length);
    return (int)(at - reply);
}

/* Good when flash holds the image. A repeat changes nothing; what was confirmed stays so; a second try is a new trial. */
static uint8_t check_image(uint8_t slot, uint32_t length, uint32_t wanted, uint32_t found) {
    const slot_record *record = slot_recorded(slot);
    if (wanted != found || !length) return EDGELINK_MISMATCH;
    bool same = record && record->length == length && record->crc32 == found;
    bool confirmed = same && !record->confirmed;
    if (same && slot_active() == slot) return EDGELINK_DONE;
    return slot_remember(slot, length, found, confirmed) ? EDGELINK_DONE : EDGELINK_FAILED;
}

static int check(const uint8_t *body, size_t n, uint8_t *reply) {
    if (n < 9) return -EDGELINK_NAK_BODY;
    uint32_t length = edgelink_get32(body + 1), found = 0;
    uint8_t slot = body[0], result = EDGELINK_ARGUMENT;
    if (slot < SLOTS && inside(0, length)) {
        found = edgelink_crc32(0, (const uint8_t *)(uintptr_t)SLOT_BASE(slot), length);
        result = check_image(slot, length, edgelink_get32(body + 5), found);
    }
    uint8_t *at = edgelink_put32(put_range(reply, body, result), found);
    return (int)(at - reply);
}

static int run(const uint8_t *body, size_t n, uint8_t *reply) {
    if (n < 1) return -EDGELINK_NAK_BODY;
    uint8_t slot = body[0], state = slot < SLOTS ? slot_state(slot) : SLOT_EMPTY;
    reply[0] = EDGELINK_DONE;
    reply[1] = slot;
    if (slot >= SLOTS) reply[0] = EDGELINK_ARGUMENT;
    else if (state != SLOT_CONFIRMED && state != SLOT_TRIAL) reply[0] = EDGELINK_NOT_NOW;
    else if (slot_active() != slot) {
        const slot_record *r = slot_recorded(slot);
        if (!slot_remember(slot, r->length, r->crc32, state == SLOT_CONFIRMED)) reply[0] = EDGELINK_FAILED;
    }
    go = reply[0] == EDGELINK_DONE;
    return 2;
}

static int on_request(void *user, uint8_t type, const uint8_t *body, size_t n, uint8_t *reply, size_t room) {
    (void)user, (void)room;
    asked_us = board_us();
    switch (type) {
    case 0x10: return info(body, n, reply);
    case 0x11: return erase(body, n, reply);
    case 0x12: return write(body, n, reply);
    case 0x13: return check(body, n, reply);
    case 0x14: return run(body, n, reply);
    default: return -EDGELINK_NAK_TYPE;
    }
}

static void on_send(void *user, const uint8_t *bytes, size_t n) {
    (void)user;
    board_put(bytes, n);
}

static uint32_t on_now(void *user) {
    (void)user;
    return board_us();
}

static void on_restart(void *user, bool into_bootloader) {
    (void)user, (void)into_bootloader;
    board_reset();
}

static const edgelink_node node = {
    .board = board_name, .name = "bootloader-ab", .version = VERSION, .build = BUILD,
    .send = on_send, .now_us = on_now, .restart = on_restart, .request = on_request,
};

/* An image that had its one start and was not confirmed is out; the other one is next. */
static uint8_t choose(void) {
    uint8_t slot = slot_active();
    if (slot != SLOT_NONE && slot_state(slot) == SLOT_TRIAL && !slot_recorded(slot)->started) {
        slot_mark_rolled_back(slot);
        slot = slot_active();
    }
    return slot;
}

static void start(uint8_t slot) {
    if (slot_state(slot) == SLOT_TRIAL) slot_mark_started(slot);
    board_watchdog(); /* an image that hangs is reset, and then rolled back */
    slot_vectors = SLOT_BASE(slot);
    const uint32_t *table = (const uint32_t *)(uintptr_t)SLOT_BASE(slot);
    __asm volatile("msr msp, %0\n bx %1" ::"r"(table[0]), "r"(table[1]));
    __builtin_unreachable();
}

/* A host that died in the middle of a transfer leaves the old image running, not a bootloader that waits for it. */
static bool forsaken(void) {
    if (board_us() - asked_us <= PATIENCE_US) return false;
    asked_us = board_us();
    return slot_active() != SLOT_NONE;
}

int main(void) {
    bool stay = slot_mailbox == SLOT_STAY;
    slot_mailbox = 0;
    uint8_t slot = choose();
    if (!stay && slot != SLOT_NONE) start(slot);
    slot_vectors = (uint32_t)(uintptr_t)own_vectors;
    board_init();
    edgelink_init(&link, &node, rx, sizeof rx, tx, sizeof tx);
    link.boot_id = board_boot_id();
    link.flags = EDGELINK_BOOTLOADER;
    edgelink_image(&link, _image_start, _image_end);
    edgelink_hello(&link);
    asked_us = board_us();
    while (!go && !forsaken()) {
        uint8_t byte;
        while (board_get(&byte)) edgelink_feed(&link, &byte, 1);
        board_watchdog();
        board_rest();
    }
    board_reset(); /* BOOT_RUN: the start itself happens with all peripherals as after a reset */
}
