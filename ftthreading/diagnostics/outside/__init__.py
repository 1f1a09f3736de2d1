"""Who waits for what in another process: ``python -m ftthreading dump PID`` and ``top PID``."""
