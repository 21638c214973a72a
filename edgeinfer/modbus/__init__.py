"""Talking Modbus to PLCs, drives and meters, for whoever reads and whoever writes; knows no readings and no decisions."""
