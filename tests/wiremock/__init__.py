"""What the real WireMock answers: cases put to it once, and kept to be compared with."""
