"""What users write in `plan.yaml`, and what a site's days need of it."""
