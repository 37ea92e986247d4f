"""What `make bench` measures: ratios against a peer or a limit in the same run."""
