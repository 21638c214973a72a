# Where an image of slot SLOT lies: the same figures as in slots.h. The first 256 bytes of RAM are shared.
AB := $(dir $(lastword $(MAKEFILE_LIST)))
RAM0 := 0x20000100
RAMN := 0x3F00
FLASHN := 0x18000
ifeq ($(SLOT),0)
  FLASH0 := 0x4000
else ifeq ($(SLOT),1)
  FLASH0 := 0x1C000
else
  $(error SLOT is "$(SLOT)": expected 0 or 1)
endif
SLOT_SOURCES := $(AB)slots.c
MORE += -DAB -I$(AB)
