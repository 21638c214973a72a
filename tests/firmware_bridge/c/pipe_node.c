/* A node on a pipe, built with sanitizers: what comes in is fed, what it sends goes out. Not a board. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "edgelink.h"

static const edgelink_channel channels[] = {
    {.name = "x", .unit = "m/s2", .scale = 0.5f, .offset = -1.0f, .rate_mhz = 1600000, .block = 0, .type = EDGELINK_I16},
    {.name = "a name that is too long for a small frame, as names go", .block = 1, .type = EDGELINK_F32},
    {.name = "y", .unit = "", .scale = 1.0f, .block = 2, .type = EDGELINK_U8},
};
static edgelink link_;
static uint32_t made, clock_us;
static uint8_t values[600];
static bool room, real_time;

static void on_send(void *user, const uint8_t *bytes, size_t n) {
    (void)user;
    if (fwrite(bytes, 1, n, stdout) != n) exit(3);
}
static uint32_t on_now(void *user) {
    struct timespec now;
    (void)user;
    if (!real_time || clock_gettime(CLOCK_MONOTONIC, &now)) return clock_us += 1000;
    return (uint32_t)now.tv_sec * 1000000u + (uint32_t)now.tv_nsec / 1000u;
}
static size_t on_room(void *user) { return (void)user, room ? 1000u : 0u; }
static void on_restart(void *user, bool boot) { (void)user, edgelink_log(&link_, EDGELINK_INFO, boot ? "boot" : "reboot"); }

static uint8_t on_command(void *user, uint8_t command, const uint8_t *arguments, size_t n) {
    (void)user;
    if (command == 128) return (uint8_t)edgelink_readings(&link_, 0, &made, 7, 3, "abcdef", 6) ? EDGELINK_DONE : EDGELINK_NOT_NOW;
    if (command == 129) return edgelink_readings(&link_, 0, &made, 7, 1, values, sizeof values) ? EDGELINK_DONE : EDGELINK_FAILED;
    if (command == 130) room = n && arguments[0];
    return command == 130 ? EDGELINK_DONE : EDGELINK_UNKNOWN;
}

static void on_poll(void *user) {
    (void)user;
    if (made < 2) edgelink_readings(&link_, 0, &made, 7, 3, "abcdef", 6);
    else if (made++ == 2) edgelink_log(&link_, EDGELINK_WARNING, "a text that is longer than the room in a frame of sixty-four bytes");
}

int main(int argc, char **argv) { /* pipe_node FRAME ADDRESS [real]: with the machine's clock, else 1 ms a look */
    real_time = argc > 3;
    size_t frame = argc > 1 ? (size_t)atoi(argv[1]) : 512u;
    edgelink_node node = {
        .board = "pipe", .name = "fuzzed", .version = "1.2.3", .build = "0123456789abcdef0123456789abcdef01234567",
        .channels = channels, .channel_count = 3, .address = (uint8_t)(argc > 2 ? atoi(argv[2]) : 0),
        .send = on_send, .now_us = on_now, .room = on_room, .command = on_command, .restart = on_restart,
        .has_bootloader = true, .poll = on_poll};
    uint8_t *rx = malloc(frame), *tx = malloc(frame), bytes[4096]; /* exact sizes: the sanitizer sees the first byte too much */
    room = true;
    if (!edgelink_init(&link_, &node, rx, frame, tx, frame)) return free(rx), free(tx), 4;
    edgelink_image(&link_, channels, (const uint8_t *)channels + 16);
    for (ssize_t n; (n = read(0, bytes, sizeof bytes)) > 0; fflush(stdout)) edgelink_feed(&link_, bytes, (size_t)n);
    free(rx), free(tx);
    return 0;
}
