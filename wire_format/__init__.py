"""The contract between edge and collector: quantities, batches, acknowledgements, topics."""
