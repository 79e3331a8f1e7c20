"""Metrics of what runs in a cluster of the sandbox, made up by what the images' tags say."""
