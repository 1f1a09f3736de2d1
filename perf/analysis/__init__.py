"""What measured values allow to say: intervals, tests, verdicts."""
