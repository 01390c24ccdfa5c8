"""The exam, at the level of bytes."""
