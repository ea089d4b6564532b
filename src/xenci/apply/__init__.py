"""Apply playbooks through ansible-runner, and show what they do."""
