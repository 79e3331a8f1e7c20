"""`buzzy do "<command>"`: the chat grammar from a terminal, for when Slack is down.

The same parser, rules, record and queue as behind `/buzzy`; Slack is told by whichever bot runs, when it can.
"""
