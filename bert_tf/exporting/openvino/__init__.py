"""OpenVINO's files, which run on Intel's processors, and others."""
