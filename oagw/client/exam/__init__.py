"""The command ``exam``: examine an API client, in any language, through an adapter. Standard library only."""
