"""Sources: devices as generators of samples."""
