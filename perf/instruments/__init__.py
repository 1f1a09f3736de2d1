"""What a measured process measures with; the parts in C are in perf/native."""
