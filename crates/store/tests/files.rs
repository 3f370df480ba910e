//! What happens to files.
#![allow(clippy::unwrap_used, reason = "a test's helpers fail by panicking too")]

use std::os::unix::fs::{FileExt, PermissionsExt};

use roomtone_base::Remedy;
use roomtone_store::{Db, Error, Schema, Upgrade};

const V1: Schema = Schema {
    name: "notes",
    version: 1,
    sql: "CREATE TABLE note (text TEXT NOT NULL) STRICT;",
    upgrades: &[],
};
const V3: Schema = Schema {
    name: "notes",
    version: 3,
    sql: "CREATE TABLE note (text TEXT NOT NULL, mood TEXT, weight INTEGER NOT NULL DEFAULT 0) STRICT;",
    upgrades: &[
        Upgrade {
            from: 1,
            sql: "ALTER TABLE note ADD COLUMN mood TEXT;",
        },
        Upgrade {
            from: 2,
            sql: "ALTER TABLE note ADD COLUMN weight INTEGER NOT NULL DEFAULT 0;",
        },
    ],
};

async fn note(db: &Db, text: &str) -> Result<(), Error> {
    let text = text.to_owned();
    db.write(move |db| {
        Ok(db
            .execute("INSERT INTO note (text) VALUES (?1)", [text])
            .map(drop)?)
    })
    .await
}

async fn notes(db: &Db) -> Vec<String> {
    db.read(|db| {
        let mut statement = db.prepare_cached("SELECT text FROM note ORDER BY rowid")?;
        let found = statement
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok::<_, Error>(found)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn an_older_file_is_upgraded_step_by_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    note(&Db::open(&path, &V1).unwrap(), "old").await.unwrap();
    let db = Db::open(&path, &V3).unwrap();
    assert_eq!(notes(&db).await, ["old"]);
    let columns = |db: &Db| {
        db.read_sync(|db| {
            let sql = "SELECT group_concat(name || ' ' || type || ' ' || \"notnull\") FROM pragma_table_info('note')";
            Ok::<String, Error>(db.query_row(sql, [], |row| row.get(0))?)
        })
        .unwrap()
    };
    let fresh = Db::open(folder.path().join("fresh.db"), &V3).unwrap();
    assert_eq!(
        columns(&db),
        columns(&fresh),
        "upgraded and new files are the same"
    );
    drop(db);
    let refused = Db::open(&path, &V1).unwrap_err();
    assert_eq!(
        refused,
        Error::TooNew {
            file: "notes.db".into(),
            found: 3,
            known: 1
        }
    );
    assert!(refused.remedy().is_some() && !refused.retryable());
    let gap = Schema {
        version: 5,
        upgrades: &[],
        ..V3
    };
    let refused = Db::open(&path, &gap).unwrap_err();
    assert_eq!(
        refused,
        Error::NoUpgrade {
            file: "notes.db".into(),
            found: 3,
            known: 5
        }
    );
    let other = Schema { name: "songs", ..V3 };
    let refused = Db::open(&path, &other).unwrap_err();
    assert_eq!(
        refused,
        Error::WrongFile {
            file: "notes.db".into(),
            expected: "songs"
        }
    );
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let db = Db::open(&path, &V1).unwrap();
    db.write(|db| {
        for n in 0..2_000 {
            db.execute(
                "INSERT INTO note (text) VALUES (?1)",
                [format!("{n} {}", "x".repeat(50))],
            )?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    drop(db);
    let whole = std::fs::read(&path).unwrap();
    for (what, offset) in [("its head", 0), ("its middle", whole.len() as u64 / 2)] {
        std::fs::write(&path, &whole).unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[0xa5; 4_096], offset).unwrap();
        let refused = Db::open(&path, &V1).unwrap_err();
        assert!(
            matches!(&refused, Error::Damaged { file, .. } if file == "notes.db"),
            "{what}: {refused:?}"
        );
        assert!(refused.remedy().unwrap().contains("backup"));
    }
    std::fs::write(
        &path,
        "hello, I am no database at all, and long enough to be looked at".repeat(20),
    )
    .unwrap();
    assert!(matches!(Db::open(&path, &V1), Err(Error::Damaged { .. })));
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let refused = Db::open("/nonexistent/folder/notes.db", &V1).unwrap_err();
    assert!(
        matches!(&refused, Error::Unusable { file, .. } if file == "notes.db"),
        "{refused:?}"
    );
    assert!(refused.remedy().is_some());
}

#[tokio::test]
async fn a_file_that_may_not_be_written_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    note(&Db::open(&path, &V1).unwrap(), "old").await.unwrap();
    let db = Db::open(&path, &V1).unwrap();
    // Works for the superuser too, who may write to everything.
    let refused = db
        .write(|db| {
            db.pragma_update(None, "query_only", true)?;
            let done = db.execute("INSERT INTO note (text) VALUES ('x')", []).map(drop);
            db.pragma_update(None, "query_only", false)?;
            Ok::<(), Error>(done?)
        })
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused:?}");
    drop(db);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&path).is_err() {
        assert!(matches!(Db::open(&path, &V1), Err(Error::ReadOnly { .. })));
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path().join("notes.db"), &V1).unwrap();
    note(&db, "before").await.unwrap();
    let limit = |pages: u32| {
        let db = db.clone();
        async move {
            db.write(move |db| Ok::<(), Error>(db.pragma_update(None, "max_page_count", pages)?))
                .await
                .unwrap();
        }
    };
    limit(3).await;
    let big = "x".repeat(100_000);
    let refused = note(&db, &big).await.unwrap_err();
    assert!(matches!(refused, Error::DiskFull { .. }), "{refused:?}");
    assert!(refused.retryable() && refused.remedy().is_some());
    assert_eq!(notes(&db).await, ["before"]);
    limit(1_000_000).await;
    note(&db, "after").await.unwrap();
    assert_eq!(
        notes(&db).await,
        ["before", "after"],
        "nothing has to be restarted"
    );
}

#[tokio::test]
async fn a_request_that_fails_or_panics_takes_back_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path().join("notes.db"), &V1).unwrap();
    // Keeps the writer busy, so that the others share one transaction.
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let holding = db.clone();
    let holding = tokio::spawn(async move {
        holding
            .write(move |_| {
                let _ = held.recv();
                Ok::<_, Error>(())
            })
            .await
    });
    let good = (0..5).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { note(&db, &format!("good {n}")).await })
    });
    let good: Vec<_> = good.collect();
    let (failing, panicking) = (db.clone(), db.clone());
    let failing = tokio::spawn(async move {
        failing
            .write(|db| {
                db.execute("INSERT INTO note (text) VALUES ('bad')", [])?;
                Err::<(), _>(Error::Closed { file: "mine".into() })
            })
            .await
    });
    let panicking = tokio::spawn(async move {
        panicking
            .write(|db| {
                db.execute("INSERT INTO note (text) VALUES ('worse')", [])?;
                if db.is_autocommit() {
                    Ok::<(), Error>(())
                } else {
                    panic!("scripted")
                }
            })
            .await
    });
    tokio::task::yield_now().await;
    drop(hold);
    holding.await.unwrap().unwrap();
    assert_eq!(failing.await.unwrap(), Err(Error::Closed { file: "mine".into() }));
    assert_eq!(
        panicking.await.unwrap(),
        Err(Error::Closed {
            file: "notes.db".into()
        })
    );
    for one in good {
        one.await.unwrap().unwrap();
    }
    let mut stored = notes(&db).await;
    stored.sort_unstable();
    assert_eq!(stored, ["good 0", "good 1", "good 2", "good 3", "good 4"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_requests_share_one_write_to_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(folder.path().join("notes.db"), &V1).unwrap();
    let before = db.transactions();
    let writes = (0..500).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { note(&db, &n.to_string()).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    assert_eq!(notes(&db).await.len(), 500);
    let commits = db.transactions() - before;
    assert!(commits < 250, "{commits} commits for 500 requests");
}

#[tokio::test]
async fn reading_goes_on_while_somebody_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let db = Db::open(&path, &V1).unwrap();
    note(&db, "first").await.unwrap();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let (begun, beginning) = tokio::sync::oneshot::channel();
    let writer = db.clone();
    let writing = tokio::spawn(async move {
        writer
            .write(move |db| {
                db.execute("INSERT INTO note (text) VALUES ('second')", [])?;
                let _ = begun.send(());
                let _ = held.recv();
                Ok::<_, Error>(())
            })
            .await
    });
    beginning.await.unwrap();
    assert_eq!(notes(&db).await, ["first"], "what is not committed is not seen");
    let other = Db::open(&path, &V1).expect("looking does not wait for the writer");
    assert_eq!(notes(&other).await, ["first"]);
    drop(hold);
    writing.await.unwrap().unwrap();
    assert_eq!(notes(&db).await, ["first", "second"]);
    assert_eq!(notes(&other).await, ["first", "second"]);
}
