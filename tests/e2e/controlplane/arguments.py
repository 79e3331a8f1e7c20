"""How the commands of the control plane are called: only what a test needs, on 127.0.0.1, and quick."""

from dataclasses import dataclass
from pathlib import Path

from tests.e2e.controlplane.certificates import Certificate

NODES_USER = "system:node-stand-in"
COMPONENTS = ("system:kube-controller-manager", "system:kube-scheduler", NODES_USER, "system:apiserver")

CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "job-controller",
    "cronjob-controller",
    "ttl-after-finished-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
    "garbage-collector-controller",
    "resourcequota-controller",
    "disruption-controller",
)

# What the components do all the time would hide what is looked for: the requests of people and of bots.
AUDIT_POLICY = f"""
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {{level: None, users: [{", ".join(f'"{user}"' for user in COMPONENTS)}]}}
  - {{level: None, nonResourceURLs: ["/readyz*", "/livez*"]}}
  - {{level: Metadata}}
"""


@dataclass(frozen=True)
class Layout:
    """Where everything of one control plane is."""

    folder: Path
    authority: Path
    serving: Certificate
    """What the API server shows."""
    tokens: Certificate
    """What the tokens of service accounts are signed with."""
    etcd_port: int
    peer_port: int
    api_port: int

    @property
    def etcd_url(self) -> str:
        """Where etcd serves the API server."""
        return f"http://127.0.0.1:{self.etcd_port}"

    @property
    def url(self) -> str:
        """Where the API server is."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def audit_log(self) -> Path:
        """The API server's record of requests, one JSON object a line."""
        return self.folder / "audit.log"

    @property
    def audit_policy(self) -> Path:
        """Which requests are recorded."""
        return self.folder / "audit-policy.yaml"


def etcd(layout: Layout) -> list[str]:
    """Return the arguments of etcd: one member, whose data need not outlive the machine."""
    peer = f"http://127.0.0.1:{layout.peer_port}"
    return [
        "--name=only",
        f"--data-dir={layout.folder / 'etcd'}",
        f"--listen-client-urls={layout.etcd_url}",
        f"--advertise-client-urls={layout.etcd_url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=only={peer}",
        "--socket-reuse-port=true",
        "--unsafe-no-fsync=true",
        "--log-level=warn",
    ]


def api_server(layout: Layout) -> list[str]:
    """Return the arguments of kube-apiserver."""
    return [
        f"--etcd-servers={layout.etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={layout.api_port}",
        "--permit-port-sharing=true",
        f"--tls-cert-file={layout.serving.certificate}",
        f"--tls-private-key-file={layout.serving.key}",
        f"--client-ca-file={layout.authority}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={layout.tokens.certificate}",
        f"--service-account-signing-key-file={layout.tokens.key}",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--kubelet-certificate-authority={layout.authority}",
        "--kubelet-preferred-address-types=InternalIP",
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={layout.audit_log}",
        # An address of loopback is refused as an endpoint of the `kubernetes` service.
        "--endpoint-reconciler-type=none",
        # Nothing here finds out whether a node is ready, so nothing could take the taint away again.
        "--disable-admission-plugins=TaintNodesByCondition",
        "--profiling=false",
    ]


def controller_manager(kubeconfig: Path, layout: Layout) -> list[str]:
    """Return the arguments of kube-controller-manager."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        f"--root-ca-file={layout.authority}",
        f"--service-account-private-key-file={layout.tokens.key}",
        *_CLIENT,
    ]


def scheduler(kubeconfig: Path) -> list[str]:
    """Return the arguments of kube-scheduler."""
    return [f"--kubeconfig={kubeconfig}", *_CLIENT]


# There is one of each, so no leader to elect; nobody asks them anything; a throttle is for large clusters.
_CLIENT = (
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
    "--profiling=false",
)
