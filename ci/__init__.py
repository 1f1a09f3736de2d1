"""What a machine runs: the parts that are longer than a shell script should be."""
