"""Boards without hardware: nodes that speak the real protocol over a pseudo-terminal, for demo, tests and trying out.

They are of the same hand as the host's side. What only other people's software or silicon can prove is proven
elsewhere: the C library in emulators, the real Optiboot, the real tools.
"""

from firmware_bridge.simulator.board import Board
from firmware_bridge.simulator.line import Line
from firmware_bridge.simulator.node import Firmware, Node
from firmware_bridge.simulator.noise import Noise
from firmware_bridge.simulator.program import Program
from firmware_bridge.simulator.stream import Stream

__all__ = ["Board", "Firmware", "Line", "Node", "Noise", "Program", "Stream"]
