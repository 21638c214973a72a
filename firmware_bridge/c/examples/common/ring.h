/* Bytes from the interrupt to the main loop: one writer, one reader, no lock. */
#ifndef RING_H
#define RING_H
#include <stdbool.h>
#include <stdint.h>

#ifndef RING_BYTES
#define RING_BYTES 256u /* a power of two; 256 bytes are 22 ms at 115200 baud */
#endif

static struct {
    uint8_t bytes[RING_BYTES];
    volatile uint16_t in, out;
    volatile uint32_t lost;
} ring;

static inline void ring_put(uint8_t byte) {
    uint16_t next = (uint16_t)((ring.in + 1u) % RING_BYTES);
    if (next == ring.out) {
        ring.lost++;
        return;
    }
    ring.bytes[ring.in] = byte;
    ring.in = next;
}

static inline bool ring_get(uint8_t *byte) {
    if (ring.out == ring.in) return false;
    *byte = ring.bytes[ring.out];
    ring.out = (uint16_t)((ring.out + 1u) % RING_BYTES);
    return true;
}

static inline bool ring_empty(void) { return ring.out == ring.in; }
#endif
