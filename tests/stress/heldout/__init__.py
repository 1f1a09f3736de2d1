"""That each held-out bug is there, and the control has none of them."""
