/* The few registers that all Cortex-M share (Armv6-M and Armv7-M Architecture Reference Manual, B3). */
#ifndef CORTEXM_H
#define CORTEXM_H
#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(address))
#define NVIC_ISER REG(0xE000E100)
#define SCB_AIRCR REG(0xE000ED0C)
#define SYST_CSR REG(0xE000E010)
#define SYST_RVR REG(0xE000E014)
#define SYST_CVR REG(0xE000E018)

/* Interrupts off, look, sleep: wfi wakes on a pending interrupt even while they are off, so no byte is slept over. */
#define REST_UNLESS(busy)                                   \
    do {                                                    \
        __asm volatile("cpsid i" ::: "memory");             \
        if (!(busy)) __asm volatile("wfi" ::: "memory");    \
        __asm volatile("cpsie i" ::: "memory");             \
    } while (0)

__attribute__((noreturn)) static inline void cortexm_reset(void) {
    __asm volatile("dsb" ::: "memory");
    SCB_AIRCR = 0x05FA0004u;
    for (;;) {
    }
}
#endif
