"""The nodes: a scheduler that finds room, and a kubelet that plays containers by their images' tags."""
