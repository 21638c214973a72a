/* What an example asks of a board: a serial line, a clock, a rest, a reset. One file for each board implements it. */
#ifndef BOARD_H
#define BOARD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const char board_name[]; /* what HELLO says; a package for another board is refused */

void board_init(void);
bool board_get(uint8_t *byte);                 /* the next byte that came in, if there is one */
void board_put(const uint8_t *bytes, size_t n); /* returns when the last byte is in the UART */
uint32_t board_us(void);                       /* microseconds, wraps after 71 minutes; from the main loop only */
void board_rest(void);                         /* sleep until a byte or the next millisecond */
uint32_t board_boot_id(void);                  /* another number after each reset */
uint32_t board_lost(void);                     /* bytes that came in and found the ring full */
void board_watchdog(void);                     /* start it, or tell it that all is well */
__attribute__((noreturn)) void board_reset(void);
#endif
