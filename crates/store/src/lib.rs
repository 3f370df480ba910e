//! SQLite storage: the room's store, evidence, migrations.
