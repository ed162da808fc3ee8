"""The tables of alarms, notices and messages, in the entities' SQLite file."""

_VERSION_1 = """
CREATE TABLE notification_alarm(
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    told_ms INTEGER NOT NULL,
    reminders INTEGER NOT NULL,
    clear_since_ms INTEGER,
    facts TEXT NOT NULL,
    PRIMARY KEY(site, kind, subject)
) WITHOUT ROWID;
CREATE TABLE notification_message(
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    site TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL,
    picture BLOB,
    data TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK(state IN ('waiting', 'sent', 'given up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    ended_ms INTEGER,
    problem TEXT
);
CREATE INDEX notification_message_waiting ON notification_message(recipient, channel, id) WHERE state = 'waiting';
CREATE TABLE notification_notice(
    id INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    channel TEXT NOT NULL,
    site TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    stage TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    facts TEXT NOT NULL,
    due_ms INTEGER NOT NULL,
    message INTEGER REFERENCES notification_message(id) ON DELETE CASCADE
);
CREATE INDEX notification_notice_waiting ON notification_notice(recipient, channel, site) WHERE message IS NULL;
CREATE INDEX notification_notice_message ON notification_notice(message);
CREATE TABLE notification_weekly(
    site TEXT NOT NULL,
    recipient TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY(site, recipient)
) WITHOUT ROWID;
"""
MIGRATIONS = (_VERSION_1,)
