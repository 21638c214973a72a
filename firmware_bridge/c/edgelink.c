/* See edgelink.h for the use and docs/firmware.md for the protocol. */
#include "edgelink.h"

#include <string.h>

enum { HELLO = 0x01, DESCRIBE, POLL, STATUS, COMMAND, TIME = 0x07, READINGS = 0x83, LOG = 0x86, NAK = 0xFF };
#define HEADER 4u
#define OVERHEAD 8u
#define READINGS_FIXED 11u
#define BOOT_MAGIC 0xB007106Du

/* ---- numbers ---- */

uint16_t edgelink_get16(const uint8_t *from) { return (uint16_t)(from[0] | (uint16_t)from[1] << 8); }

uint32_t edgelink_get32(const uint8_t *from) {
    return (uint32_t)edgelink_get16(from) | (uint32_t)edgelink_get16(from + 2) << 16;
}

uint8_t *edgelink_put16(uint8_t *to, uint16_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

uint8_t *edgelink_put32(uint8_t *to, uint32_t value) {
    return edgelink_put16(edgelink_put16(to, (uint16_t)value), (uint16_t)(value >> 16));
}

static uint8_t *put_float(uint8_t *to, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return edgelink_put32(to, bits);
}

/* At most `room` bytes of text behind its length; a UTF-8 character is never cut in two. */
static uint8_t *put_text(uint8_t *to, const char *text, size_t room) {
    size_t n = text ? strlen(text) : 0;
    if (room > 255u) room = 255u;
    if (n > room) {
        n = room;
        while (n && ((uint8_t)text[n] & 0xC0u) == 0x80u) n--;
    }
    *to++ = (uint8_t)n;
    if (n) memcpy(to, text, n);
    return to + n;
}

uint32_t edgelink_crc32(uint32_t crc, const void *bytes, size_t n) {
    static const uint32_t table[16] = { /* of the reversed polynomial 0xEDB88320, four bits at a time */
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    const uint8_t *p = bytes;
    for (crc = ~crc; n--; p++) {
        crc = table[(crc ^ *p) & 15u] ^ crc >> 4;
        crc = table[(crc ^ (uint32_t)(*p >> 4)) & 15u] ^ crc >> 4;
    }
    return ~crc;
}

/* ---- sending ---- */

/* COBS straight from the frame to the line: no second buffer. A run ends at a zero, after 254 bytes, or at the end. */
static void send_frame(const edgelink *link) {
    static const uint8_t delimiter = 0;
    const edgelink_node *node = link->node;
    const uint8_t *at = link->tx, *end = link->tx + link->tx_n;
    for (bool more = true; more;) {
        uint8_t n = 0;
        while (at + n < end && n < 254u && at[n]) n++;
        uint8_t code = (uint8_t)(n + 1u);
        node->send(node->user, &code, 1);
        if (n) node->send(node->user, at, n);
        at += n;
        more = at < end;
        if (more && n < 254u) { /* the zero itself is what the code says; at the very end it still needs a code */
            at++;
        }
    }
    node->send(node->user, &delimiter, 1);
}

static void send(edgelink *link, uint8_t type, uint8_t sequence, const uint8_t *end) {
    uint8_t *tx = link->tx;
    size_t n = (size_t)(end - tx);
    tx[0] = EDGELINK_VERSION;
    tx[1] = link->node->address;
    tx[2] = type;
    tx[3] = sequence;
    edgelink_put32(tx + n, edgelink_crc32(0, tx, n));
    link->tx_n = (uint16_t)(n + 4u);
    send_frame(link);
}

static void reply(edgelink *link, uint8_t type, const uint8_t *end) {
    link->answered = true;
    send(link, type, link->asked_sequence, end);
}

static void nak(edgelink *link, uint8_t reason) {
    uint8_t *body = link->tx + HEADER;
    body[0] = link->asked_type;
    body[1] = reason;
    reply(link, NAK, body + 2);
}

/* What nobody asked for: as it comes on a line of our own, as the answer to POLL on a shared pair, else not at all. */
static bool volunteer(edgelink *link, uint8_t type, const uint8_t *end) {
    const edgelink_node *node = link->node;
    if (link->asking && !link->answered) {
        reply(link, type, end);
        return true;
    }
    size_t n = (size_t)(end - link->tx) + 4u;
    if (node->address || (node->room && node->room(node->user) < n + n / 254u + 2u)) {
        link->status.tx_dropped++;
        return false;
    }
    link->have_asked = false; /* the last reply is no longer in the buffer */
    send(link, type, link->sequence++, end);
    return true;
}

size_t edgelink_readings_room(const edgelink *link) { return link->max_frame - OVERHEAD - READINGS_FIXED; }

bool edgelink_readings(edgelink *link, uint8_t block, uint32_t *made, uint32_t time_us, uint16_t rows,
                       const void *values, size_t n) {
    uint8_t *at = link->tx + HEADER;
    if (!link->streaming) return false;
    uint32_t number = (*made)++;
    if (!rows || n > edgelink_readings_room(link)) {
        link->status.tx_dropped++;
        return false;
    }
    *at++ = block;
    at = edgelink_put16(edgelink_put32(edgelink_put32(at, number), time_us), rows);
    memcpy(at, values, n);
    return volunteer(link, READINGS, at + n);
}

bool edgelink_log(edgelink *link, uint8_t level, const char *text) {
    uint8_t *at = link->tx + HEADER;
    *at++ = level;
    return volunteer(link, LOG, put_text(at, text, link->max_frame - OVERHEAD - 2u));
}

/* ---- answering ---- */

static void hello(edgelink *link, uint8_t sequence) {
    const edgelink_node *node = link->node;
    const char *const texts[4] = {node->board, node->name, node->version, node->build};
    uint8_t *at = link->tx + HEADER;
    size_t room = link->max_frame - 33u; /* the last text, the build, is cut first */
    *at++ = EDGELINK_VERSION;
    *at++ = EDGELINK_VERSION;
    at = edgelink_put32(edgelink_put16(at, link->max_frame), link->boot_id);
    at = edgelink_put32(at, (node->now_us(node->user) - link->started_us) / 1000u);
    at = edgelink_put32(edgelink_put32(at, link->image_length), link->image_crc32);
    *at++ = (uint8_t)(link->flags | (link->streaming ? EDGELINK_STREAMING : 0) | (node->address ? EDGELINK_POLLED : 0));
    for (int i = 0; i < 4; i++) {
        uint8_t *next = put_text(at, texts[i], room);
        room -= (size_t)(next - at) - 1u;
        at = next;
    }
    link->answered = true;
    send(link, HELLO | 0x80u, sequence, at);
}

void edgelink_hello(edgelink *link) {
    link->have_asked = false;
    if (!link->node->address) hello(link, 0);
}

static void describe(edgelink *link, const uint8_t *body, size_t n) {
    static const edgelink_channel none = {.name = NULL};
    const edgelink_node *node = link->node;
    if (n < 1 || (body[0] >= node->channel_count && node->channel_count)) {
        nak(link, EDGELINK_NAK_BODY);
        return;
    }
    const edgelink_channel *c = node->channel_count ? &node->channels[body[0]] : &none;
    size_t name = c->name ? strlen(c->name) : 0, unit = c->unit ? strlen(c->unit) : 0;
    if (OVERHEAD + 18u + name + unit > link->max_frame) {
        nak(link, EDGELINK_NAK_ROOM);
        return;
    }
    uint8_t *at = link->tx + HEADER;
    *at++ = body[0];
    *at++ = node->channel_count;
    *at++ = c->block;
    *at++ = c->type;
    at = edgelink_put32(put_float(put_float(at, c->scale), c->offset), c->rate_mhz);
    reply(link, DESCRIBE | 0x80u, put_text(put_text(at, c->name, name), c->unit, unit));
}

static void poll(edgelink *link) {
    link->asking = true;
    if (link->node->poll) link->node->poll(link->node->user);
    link->asking = false;
    if (!link->answered) nak(link, EDGELINK_NAK_NOTHING);
}

static void status(edgelink *link) {
    const edgelink_status *s = &link->status;
    uint8_t *at = link->tx + HEADER;
    at = edgelink_put32(edgelink_put32(at, s->crc_errors), s->length_errors);
    at = edgelink_put32(edgelink_put32(at, s->overruns), s->ring_overflows);
    at = edgelink_put32(edgelink_put32(at, s->tx_dropped), s->repeats);
    reply(link, STATUS | 0x80u, at);
}

static void time_reply(edgelink *link, const uint8_t *body, size_t n) {
    if (n < 4) {
        nak(link, EDGELINK_NAK_BODY);
        return;
    }
    uint8_t *at = link->tx + HEADER;
    memcpy(at, body, 4);
    at = edgelink_put32(at + 4, link->received_us);
    reply(link, TIME | 0x80u, edgelink_put32(at, link->node->now_us(link->node->user)));
}

static uint8_t do_command(edgelink *link, uint8_t command, const uint8_t *arguments, size_t n) {
    const edgelink_node *node = link->node;
    bool boot = (link->flags & EDGELINK_BOOTLOADER) != 0;
    if (command == EDGELINK_REBOOT) return node->restart ? EDGELINK_DONE : EDGELINK_UNKNOWN;
    if (boot) return EDGELINK_UNKNOWN;
    if (command == EDGELINK_ENTER_BOOTLOADER) {
        if (!node->restart || !node->has_bootloader) return EDGELINK_UNKNOWN;
        return n >= 4 && edgelink_get32(arguments) == BOOT_MAGIC ? EDGELINK_DONE : EDGELINK_ARGUMENT;
    }
    if (command == EDGELINK_START || command == EDGELINK_STOP) {
        link->streaming = command == EDGELINK_START;
        return EDGELINK_DONE;
    }
    return node->command ? node->command(node->user, command, arguments, n) : (uint8_t)EDGELINK_UNKNOWN;
}

static void command(edgelink *link, const uint8_t *body, size_t n) {
    if (n < 3) {
        nak(link, EDGELINK_NAK_BODY);
        return;
    }
    uint16_t id = edgelink_get16(body);
    bool again = link->have_last && id == link->last_id;
    if (again) {
        link->status.repeats++;
    } else {
        link->last_result = do_command(link, body[2], body + 3, n - 3);
        link->last_command = body[2];
        link->last_id = id;
        link->have_last = true;
    }
    uint8_t *at = edgelink_put16(link->tx + HEADER, id);
    *at++ = link->last_command;
    *at++ = link->last_result;
    reply(link, COMMAND | 0x80u, at);
    if (again || link->last_result != EDGELINK_DONE) return;
    if (body[2] == EDGELINK_REBOOT || body[2] == EDGELINK_ENTER_BOOTLOADER)
        link->node->restart(link->node->user, body[2] == EDGELINK_ENTER_BOOTLOADER);
}

static void other(edgelink *link, uint8_t type, const uint8_t *body, size_t n) {
    const edgelink_node *node = link->node;
    uint8_t *to = link->tx + HEADER;
    int done = -EDGELINK_NAK_TYPE;
    if (node->request) done = node->request(node->user, type, body, n, to, link->max_frame - OVERHEAD);
    if (done < 0) nak(link, (uint8_t)-done);
    else reply(link, type | 0x80u, to + done);
}

static void answer(edgelink *link, uint8_t type, const uint8_t *body, size_t n) {
    bool boot = (link->flags & EDGELINK_BOOTLOADER) != 0;
    if (type == HELLO && n >= 2) {
        link->have_last = false;
        hello(link, link->asked_sequence);
    } else if (type == HELLO) nak(link, EDGELINK_NAK_BODY);
    else if (type == COMMAND) command(link, body, n);
    else if (type == DESCRIBE && !boot) describe(link, body, n);
    else if (type == POLL && !boot) poll(link);
    else if (type == STATUS && !boot) status(link);
    else if (type == TIME && !boot) time_reply(link, body, n);
    else other(link, type, body, n);
}

/* ---- receiving ---- */

static void take_frame(edgelink *link) {
    const uint8_t *frame = link->rx;
    uint16_t n = (uint16_t)(link->rx_n - 4u);
    if (edgelink_crc32(0, frame, n) != edgelink_get32(frame + n)) {
        link->status.crc_errors++;
        return;
    }
    if (frame[1] != link->node->address || frame[2] >= 0x80u) return; /* for another, or from another */
    /* A POLL that comes again wants the block whose answer was lost, not the next one. */
    bool again = link->have_asked && frame[2] == POLL && link->asked_type == POLL && frame[3] == link->asked_sequence;
    if (again && frame[0] == EDGELINK_VERSION) {
        send_frame(link);
        return;
    }
    link->received_us = link->node->now_us(link->node->user);
    link->asked_type = frame[2];
    link->asked_sequence = frame[3];
    link->answered = false;
    if (frame[0] != EDGELINK_VERSION) nak(link, EDGELINK_NAK_VERSION);
    else answer(link, frame[2], frame + HEADER, n - HEADER);
    link->have_asked = true;
}

static void end_frame(edgelink *link) {
    /* On a shared pair, frames of others may be longer than we can take: no error of this line. */
    bool of_another = link->skipping && link->node->address && link->rx[1] != link->node->address;
    if (link->seen && !of_another) {
        if (link->left || link->skipping || link->rx_n < OVERHEAD) link->status.length_errors++;
        else take_frame(link);
    }
    link->seen = link->skipping = false;
    link->left = 0;
    link->code = 0xFF; /* no zero before the first run */
    link->rx_n = 0;
}

static void keep(edgelink *link, uint8_t byte) {
    if (link->rx_n >= link->max_frame) link->skipping = true;
    else link->rx[link->rx_n++] = byte;
}

void edgelink_feed(edgelink *link, const uint8_t *bytes, size_t n) {
    for (; n--; bytes++) {
        uint8_t byte = *bytes;
        if (!byte) {
            end_frame(link);
        } else if (link->left) {
            link->left--;
            keep(link, byte);
        } else {
            if (link->code != 0xFF) keep(link, 0);
            link->code = byte;
            link->left = (uint8_t)(byte - 1u);
            link->seen = true;
        }
    }
}

void edgelink_image(edgelink *link, const void *start, const void *end) {
    link->image_length = (uint32_t)((const uint8_t *)end - (const uint8_t *)start);
    link->image_crc32 = edgelink_crc32(0, start, link->image_length);
}

bool edgelink_init(edgelink *link, const edgelink_node *node, uint8_t *rx, size_t rx_capacity, uint8_t *tx,
                   size_t tx_capacity) {
    size_t most = rx_capacity < tx_capacity ? rx_capacity : tx_capacity;
    if (most < EDGELINK_MIN_FRAME || !rx || !tx || !node->send || !node->now_us) return false;
    memset(link, 0, sizeof *link);
    link->node = node;
    link->rx = rx;
    link->tx = tx;
    link->max_frame = (uint16_t)(most > 0xFFFFu ? 0xFFFFu : most);
    link->code = 0xFF;
    link->started_us = node->now_us(node->user);
    return true;
}
