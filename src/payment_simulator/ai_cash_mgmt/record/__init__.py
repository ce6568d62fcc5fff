"""What a game leaves behind: its rows, its texts, and the proof that they are what it gave."""
