"""What changes the cluster: jobs that plan a release, carry it out step by step, and look at the cluster."""
