"""What is timed. A function here prepares its work and gives it back as `Work`; it runs in the Python that has its
library, which need not have this one."""
