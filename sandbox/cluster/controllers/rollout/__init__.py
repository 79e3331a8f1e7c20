"""The Deployment controller, in its parts: arithmetic, revisions, status, and the loop that uses them."""
