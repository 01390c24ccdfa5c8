"""The server process: listens, loads the gateway, and stops on a signal or with its parent."""
