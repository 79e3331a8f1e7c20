"""What makes the cluster move: one small level-triggered loop per kind, as in Kubernetes itself."""
