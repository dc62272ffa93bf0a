"""Tagged sentences: how tags and labels read, how words become a text, spans of characters as tags of words."""
