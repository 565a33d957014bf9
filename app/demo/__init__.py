"""The demo: seeds a small newsroom behind the simulator, and can walk the whole story by itself (`--smoke`)."""
