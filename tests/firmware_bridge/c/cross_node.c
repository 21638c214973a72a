/* A node that is told what to say and tells what it understood, for comparing the C library with the Python side field
 * by field; built with sanitizers. Records on stdin: op u8, length u16, payload; lines on stdout, "end" behind each record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edgelink.h"

#define FRAME 600u
static edgelink link_;
static edgelink_channel channels[256];
static char names[256][2][200], texts[4][200];
static uint32_t now_us = 1000; /* a step further at each look */
static uint8_t wire[4096];
static size_t wire_n;

static void print_hex(const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) printf("%02x", bytes[i]);
    printf("\n");
}

static void on_send(void *user, const uint8_t *bytes, size_t n) {
    (void)user;
    if (wire_n + n > sizeof wire) exit(3);
    memcpy(wire + wire_n, bytes, n);
    wire_n += n;
}
static uint32_t on_now(void *user) { return (void)user, now_us += 7; }
static void on_restart(void *user, bool boot) { (void)user, printf("restart %d\n", boot); }

static uint8_t on_command(void *user, uint8_t command, const uint8_t *arguments, size_t n) {
    (void)user;
    if (command == EDGELINK_SET_RATE && n >= 5) printf("rate %u %lu\n", arguments[0], (unsigned long)edgelink_get32(arguments + 1));
    printf("command %u ", command);
    print_hex(arguments, n);
    return command % 6u;
}

/* As a bootloader takes its requests apart: what it found, and the reply that the specification wants. */
static int on_request(void *user, uint8_t type, const uint8_t *body, size_t n, uint8_t *reply, size_t room) {
    static const uint8_t least[] = {1, 9, 5, 9, 1};
    uint8_t *at = reply;
    (void)user;
    if (type < 0x10 || type > 0x14) return -EDGELINK_NAK_TYPE;
    if (n < least[type - 0x10] || room < 32) return -EDGELINK_NAK_BODY;
    uint8_t slot = body[0];
    uint32_t first = n >= 5 ? edgelink_get32(body + 1) : 0, second = n >= 9 ? edgelink_get32(body + 5) : 0;
    *at++ = slot % 6u;
    *at++ = slot;
    if (type == 0x10) {
        printf("info %u\n", slot);
        *at++ = 2, *at++ = 255, *at++ = slot % 5u;
        at = edgelink_put32(edgelink_put32(edgelink_put32(at, slot * 0x1000001ul), 0xFFFFFFFFul - slot), 1024);
        return (int)(edgelink_put32(edgelink_put32(edgelink_put16(at, (uint16_t)(slot * 257u)), slot), ~(uint32_t)slot) - reply);
    }
    if (type == 0x12) {
        printf("write %u %lu ", slot, (unsigned long)first);
        print_hex(body + 5, n - 5);
        return (int)(edgelink_put16(edgelink_put32(at, first), (uint16_t)(n - 5)) - reply);
    }
    if (type == 0x14) return printf("run %u\n", slot), (int)(at - reply);
    printf("%s %u %lu %lu\n", type == 0x11 ? "erase" : "check", slot, (unsigned long)first, (unsigned long)second);
    return (int)(edgelink_put32(edgelink_put32(at, first), second) - reply);
}

static edgelink_node node = {
    .board = texts[0], .name = texts[1], .version = texts[2], .build = texts[3], .channels = channels,
    .send = on_send, .now_us = on_now, .command = on_command, .restart = on_restart, .has_bootloader = true, .request = on_request};

static const char *next_text(const char *from, char *to) {
    strcpy(to, from);
    return from + strlen(from) + 1;
}

static void be(const uint8_t *p) { /* boot id, image length and CRC, flags, four texts */
    const char *at = (const char *)p + 13;
    link_.boot_id = edgelink_get32(p), link_.image_length = edgelink_get32(p + 4), link_.image_crc32 = edgelink_get32(p + 8);
    link_.flags = p[12];
    for (int i = 0; i < 4; i++) at = next_text(at, texts[i]);
}

static void have_channel(const uint8_t *p) { /* index, total, block, type, scale, offset, rate, two texts */
    edgelink_channel *c = &channels[p[0]];
    node.channel_count = p[1], c->block = p[2], c->type = p[3], c->rate_mhz = edgelink_get32(p + 12);
    memcpy(&c->scale, p + 4, 4), memcpy(&c->offset, p + 8, 4);
    const char *unit = next_text((const char *)p + 16, names[p[0]][0]);
    strcpy(names[p[0]][1], unit);
    c->name = names[p[0]][0], c->unit = names[p[0]][1];
}

static void count(const uint8_t *p) {
    uint32_t *counters[] = {&link_.status.crc_errors,     &link_.status.length_errors, &link_.status.overruns,
                            &link_.status.ring_overflows, &link_.status.tx_dropped,    &link_.status.repeats};
    for (int i = 0; i < 6; i++) *counters[i] = edgelink_get32(p + 4 * i);
}

static void do_record(int op, const uint8_t *p, size_t n) {
    if (op == 'F') edgelink_feed(&link_, p, n);
    else if (op == 'N') be(p);
    else if (op == 'C') have_channel(p);
    else if (op == 'S') count(p);
    else if (op == 'A') node.address = p[0];
    else if (op == 'T') now_us = edgelink_get32(p);
    else if (op == 'L') edgelink_log(&link_, p[0], (const char *)p + 1);
    else if (op == 'R') {
        uint32_t made = edgelink_get32(p + 1);
        edgelink_readings(&link_, p[0], &made, edgelink_get32(p + 5), edgelink_get16(p + 9), p + 11, n - 11);
    } else exit(5);
}

int main(void) {
    uint8_t head[3], *rx = malloc(FRAME), *tx = malloc(FRAME);
    if (!edgelink_init(&link_, &node, rx, FRAME, tx, FRAME)) return 4;
    while (fread(head, 1, 3, stdin) == 3) {
        size_t n = edgelink_get16(head + 1);
        uint8_t *payload = malloc(n ? n : 1); /* its exact size: the sanitizer sees the first byte too much */
        if (fread(payload, 1, n, stdin) != n) return 6;
        wire_n = 0;
        do_record(head[0], payload, n);
        free(payload);
        if (wire_n) printf("wire "), print_hex(wire, wire_n);
        printf("end\n");
    }
    free(rx), free(tx);
    return 0;
}
