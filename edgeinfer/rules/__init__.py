"""Rules: observations to decisions; pure but for their own memory."""
