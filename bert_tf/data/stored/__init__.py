"""Arrays of a data set as files, made once and mapped into memory."""
