/* A proof that the library works where it was built: a HELLO, answered. */
#include <stdio.h>
#include <string.h>

#include "edgelink.h"

static uint8_t said[256];
static size_t said_n;

static void on_send(void *user, const uint8_t *bytes, size_t n) {
    (void)user;
    memcpy(said + said_n, bytes, n);
    said_n += n;
}
static uint32_t on_now(void *user) { return (void)user, 5000u; }

static int check(int holds, const char *what) {
    if (!holds) printf("not so: %s\n", what);
    return !holds;
}

int main(void) {
    /* the HELLO request of tests/firmware_bridge/vectors.json */
    static const uint8_t hello[] = {0x02, 0x01, 0x02, 0x01, 0x07, 0x01, 0x01, 0xb4, 0x14, 0x3e, 0xac, 0x00};
    static uint8_t rx[64], tx[64];
    static edgelink link;
    const edgelink_node node = {.board = "host", .name = "selftest", .send = on_send, .now_us = on_now};
    int bad = check(edgelink_crc32(0, "123456789", 9) == 0xCBF43926u, "the CRC is that of IEEE 802.3");
    bad += check(!edgelink_init(&link, &node, rx, 63, tx, sizeof tx), "a buffer of 63 bytes is refused");
    bad += check(edgelink_init(&link, &node, rx, sizeof rx, tx, sizeof tx), "buffers of 64 bytes are taken");
    edgelink_feed(&link, hello, sizeof hello);
    bad += check(said_n > 30 && said[said_n - 1] == 0, "a HELLO is answered by one frame");
    bad += check(memchr(said, 0, said_n) == said + said_n - 1, "a zero stands at its end only");
    bad += check(said[1] == 1 && !link.status.crc_errors && !link.status.length_errors, "nothing was damaged");
    edgelink_feed(&link, hello + 1, sizeof hello - 1);
    bad += check(link.status.crc_errors + link.status.length_errors == 1, "a frame without its first byte is counted");
    return bad ? 1 : 0;
}
