/* What bootloader and image both know: where the slots are, and what the flash remembers about each. nRF51, 256 kB. */
#ifndef SLOTS_H
#define SLOTS_H
#include <stdbool.h>
#include <stdint.h>

#define SLOTS 2u
#define SLOT_BASE(slot) (0x4000u + (slot) * SLOT_SIZE)
#define SLOT_SIZE 0x18000u
#define SLOT_PAGE 1024u
#define SLOT_NONE 255u

/* The first words of RAM are not cleared at a start: the table that interrupts go to, and a note across a reset. */
#define slot_vectors (*(volatile uint32_t *)0x20000000u)
#define slot_mailbox (*(volatile uint32_t *)0x20000004u)
#define SLOT_STAY 0xB007106Du

enum { SLOT_EMPTY, SLOT_CONFIRMED, SLOT_TRIAL, SLOT_DAMAGED, SLOT_ROLLED_BACK };

/* One page for each slot. `magic` is written last. The marks go from all ones to zero, which flash can do without an
 * erase, so that no power cut can turn one mark into another. */
typedef struct {
    uint32_t length, crc32, order, started, confirmed, rolled_back, magic;
} slot_record;

const slot_record *slot_recorded(uint8_t slot); /* NULL: none */
uint8_t slot_at(uint32_t address);
uint8_t slot_state(uint8_t slot); /* reads the whole image: CRC */
uint8_t slot_active(void);        /* the newest that may start, SLOT_NONE: none */
bool slot_confirm(uint8_t slot);
bool slot_mark_started(uint8_t slot);
bool slot_mark_rolled_back(uint8_t slot);
bool slot_forget(uint8_t slot);
bool slot_remember(uint8_t slot, uint32_t length, uint32_t crc32, bool confirmed); /* as the newest */

bool flash_erase(uint32_t address);
bool flash_write(uint32_t address, const uint8_t *bytes, uint32_t n); /* multiples of 4; reads back */
#endif
