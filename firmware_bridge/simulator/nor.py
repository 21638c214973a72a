"""NOR flash as it is: writing only clears bits, erasing sets whole pages, and power may go in the middle of either."""

from __future__ import annotations

from typing import Final

WORD: Final = 4  # what is programmed at once, as on the nRF51


class PowerCutError(Exception):
    """The power went while flash was being changed; what was being changed is now half of it."""


class Nor:
    """`size` bytes in pages of `page`, erased at first. Addresses count from 0.

    `cut_after`: so many words and pages may still be changed; the next one is cut in its middle (None: never).
    `changes` counts them.
    """

    def __init__(self, size: int, page: int) -> None:
        self.page = page
        self.content = bytearray(b"\xff" * size)
        self.cut_after: int | None = None
        self.changes = 0

    def read(self, at: int, length: int) -> bytes:
        return bytes(self.content[at : at + length])

    def erase(self, at: int) -> None:
        """The page at `at`.

        Raises:
            PowerCutError: only its first half is erased.
        """
        cut = self._power_goes()
        length = self.page // 2 if cut else self.page
        self.content[at : at + length] = b"\xff" * length
        if cut:
            raise PowerCutError

    def program(self, at: int, data: bytes) -> bool:
        """Words that differ are written; whether flash then holds `data`.

        Raises:
            PowerCutError: of one word only the lower half was written, and nothing behind it.
        """
        for offset in range(0, len(data), WORD):
            self._word(at + offset, data[offset : offset + WORD])
        return self.read(at, len(data)) == data

    def _word(self, at: int, word: bytes) -> None:
        if self.content[at : at + WORD] == word:
            return
        cut = self._power_goes()
        for n, byte in enumerate(word[: WORD // 2] if cut else word):
            self.content[at + n] &= byte
        if cut:
            raise PowerCutError

    def _power_goes(self) -> bool:
        if self.cut_after is not None:
            if self.cut_after <= 0:
                return True
            self.cut_after -= 1
        self.changes += 1
        return False
