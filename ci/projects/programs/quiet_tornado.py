"""A plugin for tornado's tests, which fail on log lines unless its own runner has set this."""

import logging

logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
