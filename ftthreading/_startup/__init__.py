"""Every interpreter of an environment on ftthreading: the files for it, and who writes them."""
