// An edgelink node as an Arduino sketch: the voltage of pin A0, ten times a second, in blocks of five; 115200 baud.
// Nothing else may print on Serial: use edgelink_log for text.
#include <avr/eeprom.h>
#include <avr/pgmspace.h>
#include <edgelink.h>

static const uint32_t PERIOD_US = 100000;
static const uint8_t ROWS = 5;
extern const uint8_t __data_load_end[];  // from avr-libc's linker script: the last byte of the image in flash, plus one

static uint8_t rx[80], tx[80], rows[ROWS * 2];
static edgelink node_link;
static edgelink_node node;
static edgelink_channel channels[1];
static uint32_t blocks, block_us;
static uint8_t row;

static void on_send(void *, const uint8_t *bytes, size_t n) { Serial.write(bytes, n); }
static uint32_t on_now(void *) { return micros(); }

static void hash_image() {  // flash is not in the address space of an AVR
  uint16_t end = (uint16_t)(uintptr_t)__data_load_end;
  for (uint16_t at = 0; at < end; at++) {
    uint8_t byte = pgm_read_byte(at);
    node_link.image_crc32 = edgelink_crc32(node_link.image_crc32, &byte, 1);
  }
  node_link.image_length = end;
}

static uint32_t next_boot_id() {
  uint32_t id = eeprom_read_dword((const uint32_t *)0) + 1;
  eeprom_update_dword((uint32_t *)0, id);
  return id;
}

void setup() {
  Serial.begin(115200);
  channels[0].name = "a0";
  channels[0].unit = "V";
  channels[0].scale = 5.0f / 1023.0f;
  channels[0].rate_mhz = 10000;
  channels[0].type = EDGELINK_U16;
  node.board = "uno";
  node.name = "voltage";
  node.version = "1.0.0";
  node.channels = channels;
  node.channel_count = 1;
  node.send = on_send;
  node.now_us = on_now;
  edgelink_init(&node_link, &node, rx, sizeof rx, tx, sizeof tx);
  node_link.boot_id = next_boot_id();
  hash_image();
  edgelink_hello(&node_link);
}

void loop() {
  while (Serial.available()) {
    uint8_t byte = Serial.read();
    edgelink_feed(&node_link, &byte, 1);
  }
  if (!node_link.streaming) {
    row = 0;
    block_us = micros();
    return;
  }
  if (micros() - block_us < row * PERIOD_US) return;
  edgelink_put16(rows + 2 * row, analogRead(A0));
  if (++row < ROWS) return;
  edgelink_readings(&node_link, 0, &blocks, block_us, ROWS, rows, sizeof rows);
  block_us += ROWS * PERIOD_US;
  row = 0;
}
