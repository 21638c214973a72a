/* Arm MPS2 with the AN385 image (Cortex-M3, 25 MHz), as QEMU has it: -M mps2-an385. */
#include "board.h"
#include "cortexm.h"
#include "ring.h"

#define UART_DATA REG(0x40004000)
#define UART_STATE REG(0x40004004)
#define UART_CTRL REG(0x40004008)
#define UART_INTCLEAR REG(0x4000400C)
#define UART_BAUDDIV REG(0x40004010)
#define TIMER_CTRL REG(0x40000000)
#define TIMER_VALUE REG(0x40000004)
#define TIMER_RELOAD REG(0x40000008)
#define TX_FULL 1u
#define RX_FULL 2u
#define CLOCK_MHZ 25u

const char board_name[] = "mps2-an385";
static uint32_t boots __attribute__((section(".noinit")));
static uint32_t count_before, rest, us;

void SysTick_Handler(void) {}

/* First the flag, then the bytes, then look again. The other way round a byte that arrives between the last read and the
 * clearing has its edge wiped out, no interrupt ever comes again, and the link is dead until the next reset. */
void Irq0_Handler(void) {
    do {
        UART_INTCLEAR = 2u;
        while (UART_STATE & RX_FULL) ring_put((uint8_t)UART_DATA);
    } while (UART_STATE & RX_FULL);
}

void board_init(void) {
    TIMER_VALUE = TIMER_RELOAD = 0xFFFFFFFFu;
    TIMER_CTRL = 1u;
    count_before = TIMER_VALUE;
    SYST_RVR = CLOCK_MHZ * 1000u - 1u;
    SYST_CVR = 0;
    SYST_CSR = 7u;
    UART_BAUDDIV = 25u; /* 1 Mbit/s */
    UART_CTRL = 0xBu;   /* send, receive, interrupt on receive */
    NVIC_ISER = 1u;
    boots++;
}

bool board_get(uint8_t *byte) { return ring_get(byte); }

void board_put(const uint8_t *bytes, size_t n) {
    while (n--) {
        while (UART_STATE & TX_FULL) {
        }
        UART_DATA = *bytes++;
    }
}

uint32_t board_us(void) {
    uint32_t count = TIMER_VALUE;
    rest += count_before - count; /* counts down, wraps by itself */
    count_before = count;
    us += rest / CLOCK_MHZ;
    rest %= CLOCK_MHZ;
    return us;
}

void board_rest(void) { REST_UNLESS(!ring_empty()); }
uint32_t board_boot_id(void) { return boots * 2654435761u ^ TIMER_VALUE; }
uint32_t board_lost(void) { return ring.lost; }
void board_watchdog(void) {}
void board_reset(void) { cortexm_reset(); }
