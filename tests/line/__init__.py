"""The whole line with real parts: a camera on the network, a model, a broker, and the daemon as a process."""
