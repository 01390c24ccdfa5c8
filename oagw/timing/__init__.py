"""Timing: the LoopingCall that paces all streams, a clock that is moved by hand, and slices of long work."""
