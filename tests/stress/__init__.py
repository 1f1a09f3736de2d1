"""`stress`: what it must find is found, and what it keeps is right."""
