"""One HTML page of results that opens from a file, without a network.

data.py turns results into plain data, cautions.py says what spoils them, page.py puts the data,
our scripts and styles (assets/) and the charting library into one file, picture.py draws the one
picture that stands in README.
"""
