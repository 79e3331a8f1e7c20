"""The HTTP side of the cluster: the Kubernetes API, and a small one of its own for tests and the demo."""
