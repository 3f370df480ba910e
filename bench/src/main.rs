//! Measures the running box: starts the release program with the shipped configuration, calls it, prints one table.
//!
//! `roomtone-bench PROGRAM CONFIG` — usually by `cargo xtask bench`. Prints CPU time where it can, because wall time
//! on a shared machine says little; every figure stands beside its goal.

mod program;
mod table;
mod turns;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use table::{Row, Table};

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(program), Some(config)) = (arguments.next(), arguments.next()) else {
        bail!("usage: roomtone-bench PROGRAM CONFIG");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let table = runtime.block_on(measure(&program, &config))?;
    println!("{table}");
    Ok(())
}

async fn measure(program: &std::path::Path, config: &std::path::Path) -> Result<Table> {
    let mut table = Table::default();

    eprintln!("start to first answered INVITE …");
    let mut starts = Vec::new();
    for _ in 0..5 {
        starts.push(program::start_to_answer(program, config).await?);
    }
    table.add(Row::millis("start to first answered INVITE", &starts, Some(1_000.0)));

    let mut running = program::Program::start(program, config).await?;
    running.warm().await?;
    let before = running.resident_bytes()?;
    table.add(Row::mebibytes("resident memory, no call", before, None));

    eprintln!("50 turns …");
    let turns = turns::turns(&running, 50).await?;
    table.add(Row::millis("first sound after end of speech", &turns.heard_ms, Some(500.0)));
    for (name, values) in &turns.split {
        table.add(Row::millis(&format!("  {name}"), values, None));
    }

    eprintln!("20 interruptions …");
    let yields = turns::interruptions(&running, 20).await?;
    table.add(Row::millis("interruption: their first packet to our ducked one", &yields, Some(120.0)));

    eprintln!("10 calls at once, 20 s …");
    let load = turns::load(&mut running, 10, 20).await?;
    table.add(Row::percent("CPU a call, talking and listening, of one core", load.cpu_percent, None));
    table.add(Row::mebibytes("resident memory, 10 calls", load.resident_bytes, None));
    running.stop().await.context("stopping the program")?;
    Ok(table)
}
