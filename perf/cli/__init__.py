"""What people type: the commands, their options, and how results are named."""
