"""The link to microcontrollers: protocol, port and flashing; imports nothing of edgeinfer and can be used alone."""
