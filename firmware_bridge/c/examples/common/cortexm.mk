# Compiler, flags and memory of the Cortex-M boards; set BOARD, OUT and VERSION first.
COMMON := $(dir $(lastword $(MAKEFILE_LIST)))
LIBRARY := $(COMMON)../..
CC := arm-none-eabi-gcc
OBJCOPY := arm-none-eabi-objcopy
BUILD ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

ifeq ($(BOARD),mps2-an385)
  CPU := cortex-m3
  BOARD_SOURCE := board_mps2.c
  FLASH0 ?= 0
  FLASHN ?= 0x400000
  RAM0 ?= 0x20000000
  RAMN ?= 0x10000
else ifeq ($(BOARD),microbit)
  CPU := cortex-m0
  BOARD_SOURCE := board_microbit.c
  FLASH0 ?= 0
  FLASHN ?= 0x40000
  RAM0 ?= 0x20000000
  RAMN ?= 0x4000
else
  $(error BOARD is "$(BOARD)": expected mps2-an385 or microbit)
endif

COMMON_SOURCES := $(COMMON)startup.c $(COMMON)$(BOARD_SOURCE) $(LIBRARY)/edgelink.c
CFLAGS := -Os -std=c99 -Wall -Wextra -Werror -ffreestanding -ffunction-sections -fdata-sections -mcpu=$(CPU) -mthumb \
  -I$(COMMON) -I$(LIBRARY) '-DVERSION="$(VERSION)"' '-DBUILD="$(BUILD)"' $(MORE)
LAYOUT = -nostartfiles --specs=nano.specs --specs=nosys.specs -Wl,--gc-sections -T $(COMMON)link.ld \
  -Wl,--defsym=FLASH0=$(FLASH0),--defsym=FLASHN=$(FLASHN),--defsym=RAM0=$(RAM0),--defsym=RAMN=$(RAMN)

.DEFAULT_GOAL := all
.PHONY: all
%.bin: %.elf
	$(OBJCOPY) -O binary $< $@
