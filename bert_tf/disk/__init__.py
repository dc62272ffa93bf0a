"""What lasts on a disk: files that are whole or not there, folders that one process at a time writes."""
