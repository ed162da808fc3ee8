"""The site file: what is installed where, and what is measured by what."""
