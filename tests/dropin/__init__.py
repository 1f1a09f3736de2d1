"""Programs that run on ftthreading: install, the launcher, start-up, libraries and tools."""
