"""What stress, perf and ci stand on: it knows nothing of them, nor of ftthreading.

It is the one place for what they all need: a child process that ends with its deadline, exit codes,
facts of the machine, a table and a line of progress, where the tools lie. Whatever only one of them
needs is that one's own.
"""
