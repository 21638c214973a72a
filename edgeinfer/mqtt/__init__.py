"""Connections to MQTT brokers, for whoever publishes and whoever subscribes; knows no decisions and no readings."""
