"""Starts Home Assistant from a folder; run by its own interpreter, with what `scripts/peers` installed and nothing more.

It refuses Python 3.13.0 for bugs of asyncio that no test of ours meets.
"""

import sys

import homeassistant.const as const

const.REQUIRED_PYTHON_VER = min(const.REQUIRED_PYTHON_VER, sys.version_info[:3])

from homeassistant.__main__ import main  # noqa: E402  it reads the version when it is imported

sys.argv = ["hass", "--config", sys.argv[1], "--skip-pip"]
sys.exit(main())
