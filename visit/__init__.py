"""The phone page: what the site uses now, point by point, and today."""
