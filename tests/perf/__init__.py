"""`perf`: how it measures, judges, keeps and shows."""
