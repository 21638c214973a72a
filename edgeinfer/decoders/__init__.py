"""Decoders: output tensors to findings; pure."""
