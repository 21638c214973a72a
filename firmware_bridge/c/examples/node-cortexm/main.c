/* A node that measures vibration on three axes and a temperature, on a Cortex-M; the sensor is a table of sines.
 * The loop is the one to copy: feed what came in, send a block when it is full, rest until the next byte or millisecond. */
#include <string.h>

#include "board.h"
#include "edgelink.h"
#ifdef AB
#include "slots.h"
#endif

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef ADDRESS /* 1 to 254: a node on a shared pair, which speaks only when it is polled */
#define ADDRESS 0
#endif
#define AXES 3u
#define ROWS 80u
#define LATE_US 250000u /* when the line could not keep up for so long, leave the rest out, and say so by the numbers */

enum { VIBRATION, TEMPERATURE, CHANNELS = 4 };
static edgelink_channel channels[CHANNELS] = {
    {.name = "x", .unit = "m/s2", .scale = 0.01f, .rate_mhz = 1600000, .block = VIBRATION, .type = EDGELINK_I16},
    {.name = "y", .unit = "m/s2", .scale = 0.01f, .rate_mhz = 1600000, .block = VIBRATION, .type = EDGELINK_I16},
    {.name = "z", .unit = "m/s2", .scale = 0.01f, .rate_mhz = 1600000, .block = VIBRATION, .type = EDGELINK_I16},
    {.name = "temperature", .unit = "\xC2\xB0" "C", .scale = 0.01f, .rate_mhz = 1000, .block = TEMPERATURE, .type = EDGELINK_I16},
};

extern const uint8_t _image_start[], _image_end[]; /* from link.ld */
static uint8_t rx[512], tx[512], rows[ROWS * AXES * 2];
static edgelink link;
static uint32_t vibration_blocks, temperature_blocks, block_us, temperature_us, phase;

static int16_t sine(uint32_t turn) { /* a parabola in place of a table: the whole turn is 2^16, the result within 1000 */
    int32_t half = (int32_t)(turn & 0x7FFFu);
    int32_t value = half * (0x8000 - half) / 268435; /* 2^28 / 1000 */
    return (int16_t)(turn & 0x8000u ? -value : value);
}

/* Replace this by your sensor's FIFO. */
static void measure(uint8_t *to) {
    for (uint16_t row = 0; row < ROWS; row++, phase += 2000u)
        for (uint16_t axis = 0; axis < AXES; axis++) to = edgelink_put16(to, (uint16_t)sine(phase * (axis + 1u)));
}

static uint32_t block_length_us(void) { /* the remainder is left out: the times of the blocks tell the true rate */
    return (uint32_t)((uint64_t)ROWS * 1000000000u / channels[0].rate_mhz);
}

static void begin_blocks(uint32_t now) { block_us = temperature_us = now; }

static void begin_when_started(uint32_t now) {
    static bool was;
    if (link.streaming && !was) begin_blocks(now);
    was = link.streaming;
}

static uint32_t behind_us(uint32_t now) { /* how long the block has been full; 0: it is not */
    uint32_t behind = now - block_us - block_length_us();
    return behind < 0x80000000u ? behind + 1u : 0;
}

static void end_block(uint32_t now) {
    if (behind_us(now) > LATE_US) vibration_blocks++;
    else {
        measure(rows);
        edgelink_readings(&link, VIBRATION, &vibration_blocks, block_us, ROWS, rows, sizeof rows);
    }
    block_us += block_length_us();
}

static void send_vibration(uint32_t now) {
    for (; behind_us(now); now = board_us()) end_block(now);
}

static void send_temperature(uint32_t now) {
    if (now - temperature_us < 1000000u || now - temperature_us >= 0x80000000u) return;
    uint8_t value[2];
    edgelink_put16(value, (uint16_t)(2500 + sine(now >> 10) / 10));
    edgelink_readings(&link, TEMPERATURE, &temperature_blocks, temperature_us, 1, value, sizeof value);
    temperature_us += 1000000u;
}

/* One READINGS, the oldest; a sensor with a FIFO would take it from there. */
static void on_poll(void *user) {
    (void)user;
    uint32_t now = board_us();
    begin_when_started(now);
    if (!link.streaming) return;
    while (behind_us(now) > LATE_US) end_block(now); /* counted, and left out */
    if (behind_us(now)) end_block(now);
    else send_temperature(now);
}

static uint8_t on_command(void *user, uint8_t command, const uint8_t *arguments, size_t n) {
    (void)user;
#ifdef AB
    if (command == EDGELINK_CONFIRM_IMAGE) {
        if (!slot_confirm(slot_at((uint32_t)(uintptr_t)_image_start))) return EDGELINK_FAILED;
        link.flags |= EDGELINK_CONFIRMED;
        return EDGELINK_DONE;
    }
#endif
    if (command != EDGELINK_SET_RATE) return EDGELINK_UNKNOWN;
    if (n < 5 || arguments[0] != VIBRATION) return EDGELINK_ARGUMENT;
    uint32_t rate_mhz = edgelink_get32(arguments + 1);
    if (rate_mhz < 1000u || rate_mhz > 20000000u) {
        edgelink_log(&link, EDGELINK_WARNING, "set_rate: 1 Hz to 20 kHz");
        return EDGELINK_ARGUMENT;
    }
    for (unsigned axis = 0; axis < AXES; axis++) channels[axis].rate_mhz = rate_mhz;
    begin_blocks(board_us());
    return EDGELINK_DONE;
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
#ifdef AB
    if (into_bootloader) slot_mailbox = SLOT_STAY;
#endif
    board_reset();
}

static const edgelink_node node = {
    .board = board_name, .name = "vibration", .version = VERSION, .build = BUILD,
    .channels = channels, .channel_count = CHANNELS, .address = ADDRESS,
    .send = on_send, .now_us = on_now, .command = on_command, .restart = on_restart,
    .poll = on_poll,
#ifdef AB
    .has_bootloader = true,
#endif
};

int main(void) {
#ifdef HANG /* for the tests of the rollback */
    for (;;) {
    }
#endif
    board_init();
    edgelink_init(&link, &node, rx, sizeof rx, tx, sizeof tx);
    link.boot_id = board_boot_id();
    edgelink_image(&link, _image_start, _image_end);
#ifdef AB
    if (slot_state(slot_at((uint32_t)(uintptr_t)_image_start)) == SLOT_CONFIRMED) link.flags |= EDGELINK_CONFIRMED;
#endif
    edgelink_hello(&link);
    for (;;) {
        uint8_t byte;
        while (board_get(&byte)) edgelink_feed(&link, &byte, 1);
        link.status.ring_overflows = board_lost();
        uint32_t now = board_us();
        begin_when_started(now);
        if (link.streaming && !ADDRESS) send_vibration(now), send_temperature(now);
        board_watchdog();
        board_rest();
    }
}
