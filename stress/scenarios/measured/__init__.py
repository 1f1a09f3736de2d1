"""Of what is measured and judged: lateness, fairness, leaks."""
