"""What the gateway knows: plain Python, no Twisted, time only as an argument."""
