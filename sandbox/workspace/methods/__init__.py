"""The methods of Slack's Web API that are answered here, by name."""
