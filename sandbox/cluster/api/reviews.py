"""What may I do? The two reviews of one's own rights."""

from sandbox.cluster.access import User
from sandbox.cluster.api.requests import Call
from sandbox.cluster.objects import Json
from sandbox.cluster.resources import ACCESS_REVIEWS


def review(call: Call) -> Json:
    """Answer a SelfSubjectAccessReview or a SelfSubjectRulesReview."""
    asked = call.document()
    if call.target.resource == ACCESS_REVIEWS:
        asked["status"] = {"allowed": _allowed(call.user, asked.get("spec") or {})}
    else:
        rules = [rule.as_json() for rule in call.user.rules]
        urls = [
            {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]}
        ]
        asked["status"] = {"resourceRules": rules, "nonResourceRules": urls, "incomplete": False}
    return asked


def _allowed(user: User, spec: Json) -> bool:
    if attributes := spec.get("resourceAttributes"):
        resource = attributes.get("resource", "")
        if attributes.get("subresource"):
            resource = f"{resource}/{attributes['subresource']}"
        namespace, name = attributes.get("namespace", ""), attributes.get("name", "")
        return user.may(attributes.get("verb", ""), attributes.get("group", ""), resource, namespace, name)
    return user.may_get_path((spec.get("nonResourceAttributes") or {}).get("path", "/"))
