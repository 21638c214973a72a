/* Two nodes on one RS-485 pair: everything that one of them or the host says is heard by all others; sanitized. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "edgelink.h"

#define FRAME 96u
typedef struct {
    edgelink link;
    edgelink_node node;
    uint8_t *rx, *tx;
    uint32_t made, waiting, said;
    unsigned index;
} party;

static party parties[2];
static uint32_t clock_us;
static const edgelink_channel channels[] = {
    {.name = "a", .unit = "V", .scale = 1.0f, .rate_mhz = 1000000, .block = 4, .type = EDGELINK_U8}};

static void on_send(void *user, const uint8_t *bytes, size_t n) { /* the other party hears it too, in the middle of it */
    party *speaker = user;
    if (fwrite(bytes, 1, n, stdout) != n) exit(3);
    edgelink_feed(&parties[1u - speaker->index].link, bytes, n);
}
static uint32_t on_now(void *user) { return (void)user, clock_us += 50; }

static uint8_t on_command(void *user, uint8_t command, const uint8_t *arguments, size_t n) {
    party *p = user;
    if (command != 128 || n < 1) return EDGELINK_UNKNOWN;
    p->waiting += arguments[0]; /* so many blocks are there to be fetched */
    return EDGELINK_DONE;
}

static void on_poll(void *user) { /* one READINGS or one LOG, the oldest first */
    party *p = user;
    uint8_t value = (uint8_t)(p->made + 100u * p->index);
    if (p->waiting) {
        p->waiting--;
        edgelink_readings(&p->link, 4, &p->made, clock_us, 1, &value, 1);
    } else if (!p->said++) edgelink_log(&p->link, EDGELINK_INFO, "all fetched");
}

int main(int argc, char **argv) { /* pair ADDRESS ADDRESS */
    uint8_t bytes[512];
    if (argc != 3) return 2;
    for (unsigned i = 0; i < 2; i++) {
        party *p = &parties[i];
        *p = (party){.rx = malloc(FRAME), .tx = malloc(FRAME), .index = i};
        p->node = (edgelink_node){
            .board = "pair", .name = i ? "second" : "first", .version = "1", .build = "", .channels = channels, .channel_count = 1,
            .address = (uint8_t)atoi(argv[1 + i]), .user = p, .send = on_send, .now_us = on_now, .command = on_command, .poll = on_poll};
        if (!edgelink_init(&p->link, &p->node, p->rx, FRAME, p->tx, FRAME)) return 4;
        p->link.boot_id = i + 1;
        edgelink_hello(&p->link); /* on a shared pair it must say nothing */
    }
    fflush(stdout);
    for (ssize_t n; (n = read(0, bytes, sizeof bytes)) > 0; fflush(stdout))
        for (unsigned i = 0; i < 2; i++) edgelink_feed(&parties[i].link, bytes, (size_t)n);
    for (unsigned i = 0; i < 2; i++) free(parties[i].rx), free(parties[i].tx);
    return 0;
}
