"""Tables for `kubectl get`: the columns that Kubernetes prints for each kind."""

from sandbox.cluster.api.tables.view import TableView

__all__ = ["TableView"]
