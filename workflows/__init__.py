"""What happens over time: the Temporal workflows, their activities, the ports, and handle."""
