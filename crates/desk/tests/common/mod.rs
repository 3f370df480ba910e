//! The shipped desk with tools that answer as a house would.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by tests; each file uses its part"
)]

use std::{path::PathBuf, sync::LazyLock, time::Duration};

use jiff::{Zoned, civil};
use roomtone_desk::{
    Desk, Input, Reply, State,
    tool::{Argument, Arguments, Offline, Proof, Risk, ToolCall, ToolResult, ToolSpec, ValueKind},
};
use roomtone_lang::{Money, Value};

pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config/desk")
}

fn spec(
    name: &'static str,
    arguments: &[(&'static str, ValueKind)],
    returns: &[(&'static str, ValueKind)],
) -> ToolSpec {
    ToolSpec {
        name,
        arguments: arguments
            .iter()
            .map(|(name, kind)| Argument {
                name,
                kind: *kind,
                required: true,
            })
            .collect(),
        returns: returns.to_vec(),
        refusals: Vec::new(),
        proof: Proof::None,
        risk: Risk::Read,
        read_back: false,
        timeout: Duration::from_secs(3),
        offline: Offline::Local,
    }
}

pub fn specs() -> Vec<ToolSpec> {
    use ValueKind::{Digits, Money, Text, Time};
    let policy = [
        ("check_out", Time),
        ("free_until", Time),
        ("latest", Time),
        ("price", Money),
    ];
    let both = [("room", Digits), ("time", Time)];
    let mut quote = spec(
        "late_check_out_quote",
        &both,
        &[("price", Money), ("free", Text), ("check_out", Time)],
    );
    quote.refusals = vec![
        ("unknown_room", vec![]),
        ("too_late", vec![("latest", Time)]),
        ("not_needed", vec![("check_out", Time)]),
        ("next_guest", vec![]),
        ("fully_booked", vec![]),
    ];
    let mut book = spec(
        "late_check_out_book",
        &[both[0], both[1], ("price", Money)],
        &[("reference", Digits)],
    );
    book.refusals = quote.refusals.clone();
    book.refusals.push(("price_changed", vec![]));
    (book.read_back, book.proof, book.risk) = (true, Proof::Room, Risk::Costly);
    vec![spec("late_check_out_policy", &[], &policy), quote, book]
}

static DESK: LazyLock<Desk> = LazyLock::new(|| Desk::open(&folder(), &specs()).unwrap());

pub fn desk() -> &'static Desk {
    &DESK
}

/// Wednesday, quarter past nine in the morning.
pub fn now() -> Zoned {
    civil::date(2027, 3, 10)
        .at(9, 15, 0, 0)
        .in_tz("Europe/Dublin")
        .unwrap()
}

pub fn values(all: &[(&str, Value)]) -> Arguments {
    all.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()
}

pub fn clock(h: i8, m: i8) -> Value {
    Value::Time(civil::time(h, m, 0, 0))
}

pub fn euros(n: i64) -> Value {
    Value::Money(Money {
        minor: n * 100,
        currency: "EUR".into(),
    })
}

/// A house that closes late check-out at two, knows rooms of the second floor and charges thirty euros after noon.
pub fn house(call: &ToolCall) -> ToolResult {
    let refused = |reason: &str, slot: &str, alternative, values| ToolResult::Refused {
        reason: reason.into(),
        slot: Some(slot.into()),
        alternative,
        values,
    };
    if call.tool == "late_check_out_policy" {
        let all = [
            ("check_out", clock(11, 0)),
            ("free_until", clock(12, 0)),
            ("latest", clock(14, 0)),
            ("price", euros(30)),
        ];
        return ToolResult::Done { values: values(&all) };
    }
    if !call.arguments["room"].plain().starts_with('2') {
        return refused("unknown_room", "room", None, Arguments::new());
    }
    if call.arguments["time"].plain().as_str() > "14:00" {
        return refused(
            "too_late",
            "time",
            Some(clock(14, 0)),
            values(&[("latest", clock(14, 0))]),
        );
    }
    match call.tool.as_str() {
        "late_check_out_quote" => {
            let free = call.arguments["time"].plain().as_str() <= "12:00";
            let (price, free) = if free {
                (euros(0), "yes")
            } else {
                (euros(30), "no")
            };
            let all = [
                ("price", price),
                ("free", Value::Text(free.into())),
                ("check_out", clock(11, 0)),
            ];
            ToolResult::Done { values: values(&all) }
        }
        _ => ToolResult::Done {
            values: values(&[("reference", Value::Digits("48213".into()))]),
        },
    }
}

/// A conversation and every call it made.
pub struct Call {
    pub state: State,
    pub tools: Vec<ToolCall>,
    pub last: Reply,
}

impl Call {
    pub fn begin() -> Call {
        let mut call = Call {
            state: desk().open_conversation("c1"),
            tools: Vec::new(),
            last: Reply::default(),
        };
        call.input(Input::Started);
        call
    }

    pub fn input(&mut self, input: Input) -> String {
        self.input_with(input, &mut house)
    }

    pub fn input_with(&mut self, input: Input, tool: &mut dyn FnMut(&ToolCall) -> ToolResult) -> String {
        // Every turn goes through storage, as after a restart.
        let stored = serde_json::to_string(&self.state).unwrap();
        self.state = serde_json::from_str(&stored).unwrap();
        let tools = &mut self.tools;
        let mut used = |c: &ToolCall| {
            tools.push(c.clone());
            tool(c)
        };
        self.last = desk().answer(&mut self.state, input, &now(), &mut used).unwrap();
        let text = self.last.spoken();
        assert!(!text.contains(|c: char| c.is_ascii_digit()), "{text} (RC-041)");
        text
    }

    pub fn say(&mut self, text: &str) -> String {
        self.input(Input::text(text))
    }
}

/// Copies a folder with everything in it.
pub fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
