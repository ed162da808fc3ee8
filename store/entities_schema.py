"""Tables of the entities' file. A migration that was released is never changed; another follows it."""

_VERSION_1 = """
CREATE TABLE site(
    site TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE device(
    site TEXT NOT NULL REFERENCES site(site),
    device TEXT NOT NULL,
    profile TEXT NOT NULL,
    line TEXT NOT NULL,
    maker TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    retired_ms INTEGER,
    PRIMARY KEY(site, device)
) WITHOUT ROWID;
CREATE TABLE point(
    site TEXT NOT NULL REFERENCES site(site),
    point TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    resource TEXT NOT NULL,
    role TEXT NOT NULL,
    parent TEXT,
    line TEXT,
    retired_ms INTEGER,
    PRIMARY KEY(site, point)
) WITHOUT ROWID;
CREATE TABLE assignment(
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL REFERENCES site(site),
    position INTEGER NOT NULL,
    device TEXT NOT NULL,
    point TEXT NOT NULL,
    amount_quantity TEXT NOT NULL,
    rate_quantity TEXT,
    export_quantity TEXT,
    from_ms INTEGER,
    to_ms INTEGER,
    factor REAL NOT NULL
);
CREATE INDEX assignment_by_site ON assignment(site, position);
CREATE TABLE audit(
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    site TEXT NOT NULL,
    entity TEXT NOT NULL,
    key TEXT NOT NULL,
    old TEXT,
    new TEXT
);
CREATE INDEX audit_by_site ON audit(site, id);
CREATE TABLE dirty(
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    interval_start_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY(site, device, interval_start_ms)
) WITHOUT ROWID;
CREATE INDEX dirty_by_interval ON dirty(interval_start_ms DESC);
CREATE TABLE dirty_version(
    only INTEGER PRIMARY KEY CHECK(only = 1),
    last INTEGER NOT NULL
);
INSERT INTO dirty_version VALUES (1, 0);
CREATE TABLE recomputation(
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    quantity TEXT NOT NULL,
    from_ms INTEGER,
    to_ms INTEGER
);
CREATE TABLE lease(
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
"""
_PLANS = """
CREATE TABLE plan(
    site TEXT PRIMARY KEY REFERENCES site(site),
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    imported_ms INTEGER NOT NULL,
    author TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE daily_value(
    site TEXT NOT NULL,
    name TEXT NOT NULL,
    day TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY(site, name, day)
) WITHOUT ROWID;
CREATE TABLE baseline_version(
    site TEXT NOT NULL,
    baseline TEXT NOT NULL,
    version INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    definition_hash TEXT NOT NULL,
    data_hash TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY(site, baseline, version)
) WITHOUT ROWID;
CREATE TABLE rederivation(
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    first_day TEXT,
    last_day TEXT
);
INSERT INTO rederivation(site) SELECT site FROM site;
"""
# Days get what earlier versions did not derive: materials wasted, where waste went, what own generation avoided.
_DERIVE_DAYS = """
DELETE FROM rederivation;
INSERT INTO rederivation(site) SELECT site FROM site;
"""
_TEMPERATURES = """
CREATE TABLE hourly_temperature(
    site TEXT NOT NULL,
    source TEXT NOT NULL,
    day TEXT NOT NULL,
    degc TEXT NOT NULL,
    PRIMARY KEY(site, source, day)
) WITHOUT ROWID;
"""
MIGRATIONS = (_VERSION_1, _PLANS, _DERIVE_DAYS, _TEMPERATURES)
