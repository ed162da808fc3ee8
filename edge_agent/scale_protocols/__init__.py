"""What weighing scales say, a module for each family of protocols. Pure: bytes in, weights out."""
