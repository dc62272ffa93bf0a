"""Damaged and hostile files for every reader: each must end in an answer, or in an error of ours."""
