"""What speaks Slack: listeners take things in, the inbox acts on them, the relay tells what happened.

Nothing here touches Kubernetes. Whatever has to be done to a cluster is written into the record and queued.
"""
