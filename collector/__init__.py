"""Takes what edges publish into the store, and answers only when it is there."""
