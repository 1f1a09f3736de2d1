"""Bugs of real thread libraries, rebuilt: what the harness is measured against, unseen."""
