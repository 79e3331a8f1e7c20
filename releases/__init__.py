"""What a release is: pure values and rules. Only `releases.record` and `releases.settings` do I/O."""
