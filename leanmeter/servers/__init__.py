"""Commands of the machine that stores: collector, evaluation, page, notifications, backup, installation."""
