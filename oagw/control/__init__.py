"""What the control plane knows: spaces, stubs and their patterns, toxics, verification. Nothing of HTTP."""
