"""When things happen: the LoopingCall that paces all streams, and a clock that is moved by hand."""
