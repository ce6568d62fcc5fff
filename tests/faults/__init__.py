"""What happens when things break: kills, full disks, torn files, two processes at once."""
