"""A Slack workspace and a cluster on your own machine, for `make demo` and for tests."""
