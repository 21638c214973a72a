"""Flashing that a technician can trust: packages, flashers, and the job that proves what a board runs afterwards.

Imports nothing of edgeinfer; the command line stands in `edgeinfer/cli/firmware.py`.
"""
