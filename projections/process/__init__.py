"""How deals follow their sales process, and what the process is worth to those who follow it."""
