"""What is kept of a run: batches, what came of them, and what was found."""
