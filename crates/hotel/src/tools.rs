//! The receptionist's tools.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{Zoned, civil::Time};
use roomtone_desk::tool::{
    Argument, Arguments, Offline, Proof, Risk, Tool, ToolCall, ToolResult, ToolSpec, ValueKind,
};
use roomtone_lang::{Money, Value};

use crate::{Error, House, Policy, Refusal};

/// A local store answers in milliseconds; after that long something is wrong with the disk.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Policy,
    Quote,
    Book,
}

/// One of the tools for leaving late.
#[derive(Debug)]
struct LateCheckOut {
    which: Which,
    house: House,
    spec: ToolSpec,
}

/// The tools of `house`: `late_check_out_policy`, `late_check_out_quote`, `late_check_out_book`.
pub fn tools(house: &House) -> Vec<Arc<dyn Tool>> {
    let tool = |which| -> Arc<dyn Tool> {
        Arc::new(LateCheckOut {
            which,
            house: house.clone(),
            spec: spec(which),
        })
    };
    vec![tool(Which::Policy), tool(Which::Quote), tool(Which::Book)]
}

/// The tools' declarations, for checking a desk without a house.
pub fn specs() -> Vec<ToolSpec> {
    [Which::Policy, Which::Quote, Which::Book].map(spec).to_vec()
}

fn spec(which: Which) -> ToolSpec {
    let argument = |name, kind| Argument {
        name,
        kind,
        required: true,
    };
    let both = vec![
        argument("room", ValueKind::Digits),
        argument("time", ValueKind::Time),
    ];
    let rules = vec![("check_out", ValueKind::Time), ("latest", ValueKind::Time)];
    let refusals = [
        "unknown_room",
        "not_needed",
        "too_late",
        "next_guest",
        "fully_booked",
    ]
    .map(|r| (r, rules.clone()));
    let local = ToolSpec {
        name: "late_check_out_policy",
        arguments: Vec::new(),
        returns: [
            rules.clone(),
            vec![("free_until", ValueKind::Time), ("price", ValueKind::Money)],
        ]
        .concat(),
        refusals: Vec::new(),
        proof: Proof::None,
        risk: Risk::Read,
        read_back: false,
        timeout: TIMEOUT,
        offline: Offline::Local,
    };
    match which {
        Which::Policy => local,
        Which::Quote => ToolSpec {
            name: "late_check_out_quote",
            arguments: both,
            returns: vec![
                ("price", ValueKind::Money),
                ("free", ValueKind::Text),
                ("date", ValueKind::Date),
            ],
            refusals: refusals.to_vec(),
            proof: Proof::Room,
            ..local
        },
        Which::Book => ToolSpec {
            name: "late_check_out_book",
            arguments: [both, vec![argument("price", ValueKind::Money)]].concat(),
            returns: vec![
                ("reference", ValueKind::Digits),
                ("date", ValueKind::Date),
                ("price", ValueKind::Money),
            ],
            refusals: [refusals.to_vec(), vec![("price_changed", rules)]].concat(),
            proof: Proof::Room,
            risk: Risk::Costly,
            read_back: true,
            ..local
        },
    }
}

/// Arguments of a call, which the toolbox has checked.
fn arguments(call: &ToolCall) -> Option<(&str, Time)> {
    match (call.arguments.get("room"), call.arguments.get("time")) {
        (Some(Value::Digits(room)), Some(Value::Time(time))) => Some((room, *time)),
        _ => None,
    }
}

fn named<const N: usize>(values: [(&str, Value); N]) -> Arguments {
    values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

fn rules(policy: &Policy) -> Arguments {
    named([
        ("check_out", Value::Time(policy.check_out)),
        ("latest", Value::Time(policy.latest)),
    ])
}

fn refused(refusal: &Refusal, policy: &Policy) -> ToolResult {
    let (slot, alternative) = match refusal {
        Refusal::UnknownRoom => (Some("room"), None),
        Refusal::TooLate(t) | Refusal::NextGuest(t) => (Some("time"), Some(Value::Time(*t))),
        Refusal::NotNeeded | Refusal::FullyBooked | Refusal::PriceChanged => (None, None),
    };
    ToolResult::Refused {
        reason: refusal.reason().to_owned(),
        slot: slot.map(str::to_owned),
        alternative,
        values: rules(policy),
    }
}

impl LateCheckOut {
    async fn work(&self, call: &ToolCall, now: &Zoned) -> Result<ToolResult, Error> {
        let policy = self.house.policy().await?;
        let missing = || ToolResult::Failed {
            reason: "an argument is missing".into(),
            retryable: false,
        };
        let values = match self.which {
            Which::Policy => {
                let mut all = rules(&policy);
                all.insert("free_until".to_owned(), Value::Time(policy.free_until));
                all.insert("price".to_owned(), Value::Money(policy.price));
                all
            }
            Which::Quote => {
                let Some((room, time)) = arguments(call) else {
                    return Ok(missing());
                };
                match self.house.quote(room, time, now).await? {
                    Ok(quote) => named([
                        (
                            "free",
                            Value::Text(if quote.price.minor == 0 { "yes" } else { "no" }.to_owned()),
                        ),
                        ("price", Value::Money(quote.price)),
                        ("date", Value::Date(quote.day)),
                    ]),
                    Err(refusal) => return Ok(refused(&refusal, &policy)),
                }
            }
            Which::Book => {
                let agreed: Option<&Money> = match call.arguments.get("price") {
                    Some(Value::Money(m)) => Some(m),
                    _ => None,
                };
                let (Some((room, time)), Some(agreed)) = (arguments(call), agreed) else {
                    return Ok(missing());
                };
                match self
                    .house
                    .book(room, time, agreed, &call.idempotency_key, now)
                    .await?
                {
                    Ok(booked) => named([
                        ("reference", Value::Digits(booked.reference.to_string())),
                        ("date", Value::Date(booked.day)),
                        ("price", Value::Money(booked.price)),
                    ]),
                    Err(refusal) => return Ok(refused(&refusal, &policy)),
                }
            }
        };
        Ok(ToolResult::Done { values })
    }
}

#[async_trait]
impl Tool for LateCheckOut {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, call: &ToolCall, now: &Zoned) -> ToolResult {
        use roomtone_base::Remedy;
        self.work(call, now).await.unwrap_or_else(|error| {
            tracing::error!(%error, tool = self.spec.name, "the house's store did not answer");
            ToolResult::Failed {
                reason: error.to_string(),
                retryable: error.retryable(),
            }
        })
    }
}
