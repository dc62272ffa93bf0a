"""Messages made by protoc, which no checker can read."""
