/* A vibration and temperature node on an ATmega328P (Arduino Uno, 115200 baud) under Optiboot; frames of 96 bytes.
 * Reset through DTR enters Optiboot; by command it cannot be entered, since it starts only after an external reset. */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/delay.h>

#define RING_BYTES 128u
#include "edgelink.h"
#include "ring.h"

#define ROWS 10u
#define BLOCK_US 100000ul

extern const uint8_t __data_load_end[]; /* avr-libc's linker script: the last byte of the image in flash, plus one */
static uint8_t rx[96], tx[96];
static edgelink link;
static uint32_t vibration_blocks, temperature_blocks, block_us, temperature_us;
static uint16_t phase;
static volatile uint16_t overflows;
static volatile uint32_t overruns;

static const edgelink_channel channels[] = {
    {.name = "x", .unit = "m/s2", .scale = 0.01f, .rate_mhz = 100000ul, .block = 0, .type = EDGELINK_I16},
    {.name = "temperature", .unit = "\xC2\xB0" "C", .scale = 0.1f, .rate_mhz = 1000, .block = 1, .type = EDGELINK_I16},
};

ISR(USART_RX_vect) {
    if (UCSR0A & _BV(DOR0)) overruns++; /* read before the byte is: the flag goes with it */
    ring_put(UDR0);
}
ISR(TIMER1_OVF_vect) { overflows++; }
EMPTY_INTERRUPT(TIMER2_COMPA_vect)

static uint32_t on_now(void *user) { /* Timer 1 counts half microseconds */
    (void)user;
    uint8_t before = SREG;
    cli();
    uint16_t low = TCNT1, high = overflows;
    if ((TIFR1 & _BV(TOV1)) && low < 0x8000u) high++; /* wrapped, and its interrupt is still waiting */
    SREG = before;
    static uint16_t high_before;
    static uint32_t higher; /* the bit that the halving would lose */
    if (high < high_before) higher ^= 0x80000000ul;
    high_before = high;
    return ((uint32_t)high << 15 | low >> 1) + higher;
}

static void on_send(void *user, const uint8_t *bytes, size_t n) {
    (void)user;
    while (n--) {
        while (!(UCSR0A & _BV(UDRE0))) {
        }
        UCSR0A |= _BV(TXC0); /* so that it tells when this byte has left */
        UDR0 = *bytes++;
    }
}

static void on_restart(void *user, bool into_bootloader) {
    (void)user, (void)into_bootloader;
    while (!(UCSR0A & _BV(TXC0))) {
    }
    cli();
    wdt_enable(WDTO_15MS);
    for (;;) {
    }
}

static const edgelink_node node = {
    .board = "uno", .name = "vibration", .version = VERSION, .build = BUILD,
    .channels = channels, .channel_count = 2,
    .send = on_send, .now_us = on_now, .restart = on_restart,
};

static void begin_hardware(void) {
    MCUSR = 0;
    wdt_disable(); /* after a watchdog reset it runs on, at its shortest */
    UCSR0A = _BV(U2X0);
    UBRR0 = 16; /* 117647 baud: 2.1 % off, what every Uno does */
    UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
    UCSR0B = _BV(RXEN0) | _BV(TXEN0) | _BV(RXCIE0);
    TCCR1A = 0, TCCR1B = _BV(CS11), TIMSK1 = _BV(TOIE1);
    TCCR2A = _BV(WGM21), TCCR2B = _BV(CS22), OCR2A = 249, TIMSK2 = _BV(OCIE2A); /* 1 kHz */
    sei();
}

/* A counter in EEPROM: 100,000 starts are what the cell is specified for. */
static uint32_t next_boot_id(void) {
    uint32_t id = eeprom_read_dword((const uint32_t *)0) + 1u;
    eeprom_update_dword((uint32_t *)0, id);
    return id;
}

static void hash_image(void) {
    uint16_t end = (uint16_t)(uintptr_t)__data_load_end;
    for (uint16_t at = 0; at < end; at++) {
        uint8_t byte = pgm_read_byte(at);
        link.image_crc32 = edgelink_crc32(link.image_crc32, &byte, 1);
    }
    link.image_length = end;
}

static void send_blocks(uint32_t now) {
    uint8_t rows[ROWS * 2], *at = rows;
    if (now - block_us >= BLOCK_US) {
        for (uint8_t row = 0; row < ROWS; row++, phase += 523u) /* replace this by your sensor */
            at = edgelink_put16(at, (uint16_t)((int16_t)(phase & 0x8000u ? ~phase : phase) / 16 - 1024));
        edgelink_readings(&link, 0, &vibration_blocks, block_us, ROWS, rows, sizeof rows);
        block_us += BLOCK_US;
    }
    if (now - temperature_us >= 1000000ul) {
        edgelink_put16(rows, 231);
        edgelink_readings(&link, 1, &temperature_blocks, temperature_us, 1, rows, 2);
        temperature_us += 1000000ul;
    }
}

int main(void) {
    uint32_t boot_id = next_boot_id(); /* before any interrupt may come between the two steps of an EEPROM write */
    begin_hardware();
    edgelink_init(&link, &node, rx, sizeof rx, tx, sizeof tx);
    link.boot_id = boot_id;
    hash_image();
    edgelink_hello(&link);
    for (bool was = false;;) {
        uint8_t byte;
        while (ring_get(&byte)) edgelink_feed(&link, &byte, 1);
        cli(); /* four bytes each: an interrupt in between would tear them */
        link.status.ring_overflows = ring.lost;
        link.status.overruns = overruns;
        sei();
        uint32_t now = on_now(NULL);
        if (link.streaming && !was) block_us = temperature_us = now;
        was = link.streaming;
        if (was) send_blocks(now);
        set_sleep_mode(SLEEP_MODE_IDLE);
        cli();
        if (ring_empty()) {
            sleep_enable();
            sei(); /* the next instruction still runs before any interrupt: no byte is slept over */
            sleep_cpu();
            sleep_disable();
        }
        sei();
    }
}
