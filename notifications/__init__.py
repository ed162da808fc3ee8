"""Who is told when something is wrong, and what the week was like: e-mail, Telegram, webhook."""
