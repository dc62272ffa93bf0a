"""Sentences of tagged words in whatever form people and their tools have them: found, and brought to one."""
