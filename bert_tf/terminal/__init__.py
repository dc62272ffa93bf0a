"""What a terminal shows: `parts` are plain data, which each kind of task makes of its answers, and `drawing` draws
them.

Imports nothing else of the library, and rich only when something is drawn.
"""
