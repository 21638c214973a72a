/* From the reset vector to main() on a Cortex-M, without a vendor's package. */
#include <stdint.h>

extern uint32_t _estack, _sidata, _sdata, _edata, _sbss, _ebss;
int main(void);
void Reset_Handler(void);

static void stop(void) {
    for (;;) {
    }
}

void Reset_Handler(void) {
    const uint32_t *from = &_sidata;
    for (uint32_t *to = &_sdata; to < &_edata;) *to++ = *from++;
    for (uint32_t *to = &_sbss; to < &_ebss;) *to++ = 0;
    main();
    stop();
}

void SysTick_Handler(void) __attribute__((weak, alias("stop")));
void Irq0_Handler(void) __attribute__((weak, alias("stop")));
void Irq2_Handler(void) __attribute__((weak, alias("stop")));
void Irq8_Handler(void) __attribute__((weak, alias("stop")));

#ifdef FORWARD
/* A Cortex-M0 has one vector table, at 0, and that is the bootloader's: it hands each interrupt to the table of what
 * runs, whose address stands in the first word of RAM. r0 to r3 were saved by the hardware; lr stays as it is. */
__attribute__((naked)) static void forward(void) {
    __asm volatile(
        ".syntax unified\n ldr r0, =0x20000000\n ldr r0, [r0]\n mrs r1, ipsr\n lsls r1, r1, #2\n ldr r0, [r0, r1]\n bx r0\n .ltorg\n");
}
__attribute__((section(".vectors"), used)) static void *const hardware_vectors[16 + 32] = {
    [0] = &_estack, [1] = Reset_Handler, [2 ... 47] = forward};
#define VECTORS __attribute__((section(".rodata"), used)) void *const own_vectors[16 + 32]
#else
#define VECTORS __attribute__((section(".vectors"), used)) static void *const vectors[16 + 32]
#endif

VECTORS = {
    [0] = &_estack,
    [1] = Reset_Handler,
    [2] = stop, /* NMI */
    [3] = stop, /* hard fault: the watchdog ends it */
    [15] = SysTick_Handler,
    [16 + 0] = Irq0_Handler, /* mps2-an385: UART0 receive */
    [16 + 2] = Irq2_Handler, /* nRF51: UART0 */
    [16 + 8] = Irq8_Handler, /* nRF51: TIMER0 */
};
