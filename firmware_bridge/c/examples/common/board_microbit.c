/* BBC micro:bit v1 (nRF51822, Cortex-M0, 16 MHz); registers from the nRF51 Series Reference Manual 3.0. In QEMU: -M microbit. */
#include "board.h"
#include "cortexm.h"
#include "ring.h"

#define UART(offset) REG(0x40002000u + (offset))
#define UART_STARTRX UART(0x000)
#define UART_STARTTX UART(0x008)
#define UART_RXDRDY UART(0x108)
#define UART_TXDRDY UART(0x11C)
#define UART_INTENSET UART(0x304)
#define UART_ENABLE UART(0x500)
#define UART_PSELTXD UART(0x50C)
#define UART_PSELRXD UART(0x514)
#define UART_RXD UART(0x518)
#define UART_TXD UART(0x51C)
#define UART_BAUDRATE UART(0x524)
#define TIMER(offset) REG(0x40008000u + (offset))
#define TIMER_START TIMER(0x000)
#define TIMER_STOP TIMER(0x004)
#define TIMER_CLEAR TIMER(0x00C)
#define TIMER_CAPTURE0 TIMER(0x040)
#define TIMER_CAPTURE2 TIMER(0x048)
#define TIMER_COMPARE1 TIMER(0x144)
#define TIMER_INTENSET TIMER(0x304)
#define TIMER_BITMODE TIMER(0x508)
#define TIMER_PRESCALER TIMER(0x510)
#define TIMER_CC0 TIMER(0x540)
#define TIMER_CC1 TIMER(0x544)
#define TIMER_CC2 TIMER(0x548)
#define RNG_START REG(0x4000D000)
#define RNG_VALRDY REG(0x4000D100)
#define RNG_VALUE REG(0x4000D508)
#define WDT_START REG(0x40010000)
#define WDT_CRV REG(0x40010504)
#define WDT_RREN REG(0x40010508)
#define WDT_RR0 REG(0x40010600)

const char board_name[] = "microbit";
static bool guarded;

/* First the flag, then the byte, then look again: see board_mps2.c. */
void Irq2_Handler(void) {
    while (UART_RXDRDY) {
        UART_RXDRDY = 0;
        ring_put((uint8_t)UART_RXD);
    }
}

void Irq8_Handler(void) {
    TIMER_COMPARE1 = 0;
    TIMER_CAPTURE2 = 1u; /* from now, not from the last time: who is late would wait for the counter to come round */
    TIMER_CC1 = TIMER_CC2 + 1000u;
}

void board_init(void) {
    TIMER_STOP = TIMER_CLEAR = 1u;
    TIMER_BITMODE = 3u; /* 32 bits */
    TIMER_PRESCALER = 4u; /* 1 MHz */
    TIMER_CC1 = 1000u;
    TIMER_INTENSET = 1u << 17;
    TIMER_START = 1u;
    UART_PSELTXD = 24u, UART_PSELRXD = 25u; /* to the micro:bit's USB chip */
    UART_BAUDRATE = 0x01D7E000u;            /* 115200 */
    UART_ENABLE = 4u;
    UART_INTENSET = 1u << 2;
    UART_RXDRDY = 0;
    UART_STARTRX = 1u, UART_STARTTX = 1u;
    NVIC_ISER = 1u << 2 | 1u << 8;
}

bool board_get(uint8_t *byte) { return ring_get(byte); }

void board_put(const uint8_t *bytes, size_t n) {
    while (n--) {
        UART_TXDRDY = 0;
        UART_TXD = *bytes++;
        while (!UART_TXDRDY) {
        }
    }
}

uint32_t board_us(void) {
    TIMER_CAPTURE0 = 1u;
    return TIMER_CC0;
}

uint32_t board_boot_id(void) {
    uint32_t id = 0;
    RNG_START = 1u;
    for (int i = 0; i < 4; i++) {
        RNG_VALRDY = 0;
        while (!RNG_VALRDY) {
        }
        id = id << 8 | (RNG_VALUE & 0xFFu);
    }
    return id;
}

/* Once started it cannot be stopped, and it runs on through a jump from the bootloader into the image: that is the
 * point. QEMU does not emulate it; there somebody has to press reset. */
void board_watchdog(void) {
    if (!guarded) {
        WDT_CRV = 5u * 32768u; /* 5 s */
        WDT_RREN = 1u;
        WDT_START = 1u;
        guarded = true;
    }
    WDT_RR0 = 0x6E524635u;
}

void board_rest(void) { REST_UNLESS(!ring_empty()); }
uint32_t board_lost(void) { return ring.lost; }
void board_reset(void) { cortexm_reset(); }
