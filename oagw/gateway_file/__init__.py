"""The file of ``--config``, in TOML. Loaded only if there is one. All its errors are reported at once."""
