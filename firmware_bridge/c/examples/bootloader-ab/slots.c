/* The slots' records in flash, and the nRF51's flash controller (nRF51 Series Reference Manual 3.0, chapter 6). */
#include "slots.h"

#include <stddef.h>

#include "cortexm.h"
#include "edgelink.h"

#define NVMC_READY REG(0x4001E400)
#define NVMC_CONFIG REG(0x4001E504)
#define NVMC_ERASEPAGE REG(0x4001E508)
#define READ_ONLY 0u
#define WRITE 1u
#define ERASE 2u
#define MAGIC 0x51075107u
#define ERASED 0xFFFFFFFFu
#define RECORD(slot) (0x34000u + (slot) * SLOT_PAGE)

/* A CRC over a whole slot takes longer than an answer may: it is made once, and again when the record changes. */
static uint8_t verdicts[SLOTS];
enum { UNKNOWN, GOOD, BAD };

static void wait_ready(void) {
    while (!(NVMC_READY & 1u)) {
    }
}

static uint32_t word_at(uint32_t address) { return *(const volatile uint32_t *)(uintptr_t)address; }

bool flash_erase(uint32_t address) {
    NVMC_CONFIG = ERASE;
    wait_ready();
    NVMC_ERASEPAGE = address;
    wait_ready();
    NVMC_CONFIG = READ_ONLY;
    wait_ready();
    for (uint32_t at = 0; at < SLOT_PAGE; at += 4u)
        if (word_at(address + at) != ERASED) return false;
    return true;
}

bool flash_write(uint32_t address, const uint8_t *bytes, uint32_t n) {
    bool good = true;
    NVMC_CONFIG = WRITE;
    wait_ready();
    for (uint32_t at = 0; at < n; at += 4u) {
        uint32_t word = edgelink_get32(bytes + at);
        if (word_at(address + at) != word) REG(address + at) = word; /* a repeat costs the flash nothing */
        wait_ready();
        good = good && word_at(address + at) == word;
    }
    NVMC_CONFIG = READ_ONLY;
    wait_ready();
    return good;
}

const slot_record *slot_recorded(uint8_t slot) {
    const slot_record *record = (const slot_record *)(uintptr_t)RECORD(slot);
    bool whole = slot < SLOTS && word_at((uint32_t)(uintptr_t)&record->magic) == MAGIC && record->length <= SLOT_SIZE;
    return whole ? record : NULL;
}

uint8_t slot_at(uint32_t address) { return address >= SLOT_BASE(1u) ? 1u : 0u; }

static bool whole(uint8_t slot, const slot_record *record) {
    const uint8_t *image = (const uint8_t *)(uintptr_t)SLOT_BASE(slot);
    if (verdicts[slot] == UNKNOWN)
        verdicts[slot] = edgelink_crc32(0, image, record->length) == record->crc32 ? GOOD : BAD;
    return verdicts[slot] == GOOD;
}

uint8_t slot_state(uint8_t slot) {
    const slot_record *record = slot_recorded(slot);
    if (!record) {
        for (uint32_t at = 0; at < SLOT_SIZE; at += 4u)
            if (word_at(SLOT_BASE(slot) + at) != ERASED) return SLOT_DAMAGED;
        return SLOT_EMPTY;
    }
    if (!whole(slot, record)) return SLOT_DAMAGED;
    if (!record->rolled_back) return SLOT_ROLLED_BACK;
    return record->confirmed ? SLOT_TRIAL : SLOT_CONFIRMED;
}

uint8_t slot_active(void) {
    uint8_t best = SLOT_NONE;
    for (uint8_t slot = 0; slot < SLOTS; slot++) {
        uint8_t state = slot_state(slot);
        if (state != SLOT_CONFIRMED && state != SLOT_TRIAL) continue;
        if (best == SLOT_NONE || slot_recorded(slot)->order > slot_recorded(best)->order) best = slot;
    }
    return best;
}

static bool mark(uint8_t slot, size_t field) {
    static const uint8_t zero[4] = {0, 0, 0, 0};
    return slot_recorded(slot) && flash_write(RECORD(slot) + (uint32_t)field, zero, 4u);
}

bool slot_confirm(uint8_t slot) { return mark(slot, offsetof(slot_record, confirmed)); }
bool slot_mark_started(uint8_t slot) { return mark(slot, offsetof(slot_record, started)); }
bool slot_mark_rolled_back(uint8_t slot) { return mark(slot, offsetof(slot_record, rolled_back)); }

bool slot_forget(uint8_t slot) {
    verdicts[slot] = UNKNOWN;
    return (word_at(RECORD(slot)) == ERASED && !slot_recorded(slot)) || flash_erase(RECORD(slot));
}

bool slot_remember(uint8_t slot, uint32_t length, uint32_t crc32, bool confirmed) {
    uint8_t bytes[sizeof(slot_record)], *at = bytes;
    const slot_record *other = slot_recorded((uint8_t)(1u - slot));
    uint32_t order = other ? other->order + 1u : 0;
    at = edgelink_put32(edgelink_put32(edgelink_put32(at, length), crc32), order);
    at = edgelink_put32(edgelink_put32(at, confirmed ? 0 : ERASED), confirmed ? 0 : ERASED);
    edgelink_put32(edgelink_put32(at, ERASED), MAGIC);
    verdicts[slot] = UNKNOWN;
    return flash_erase(RECORD(slot)) && flash_write(RECORD(slot), bytes, sizeof bytes);
}
