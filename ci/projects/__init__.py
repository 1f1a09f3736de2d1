"""Projects of others whose test suites `ci/suites` runs: getting them, and running them."""
