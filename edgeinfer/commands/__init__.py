"""What a running daemon can be asked: one table of command types, their permission class, and their doors.

A door authenticates and queues; the supervisor executes (`Supervisor.ask`).
"""
