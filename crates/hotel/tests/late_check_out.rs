//! The receptionist's tools on the hotel's store, and the shipped desk on both.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::{path::PathBuf, sync::Arc};

use jiff::{Zoned, civil};
use roomtone_base::VirtualClock;
use roomtone_desk::{
    Desk, Input, Reply, State, Step,
    tool::{ToolCall, ToolResult, Toolbox},
};
use roomtone_hotel::{House, Refusal, Seed, specs, tools};
use roomtone_lang::Money;
use tempfile::TempDir;

fn config(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../config")
        .join(file)
}

fn now() -> Zoned {
    civil::date(2027, 3, 10)
        .at(9, 15, 0, 0)
        .in_tz("Europe/Dublin")
        .unwrap()
}

fn at(h: i8, m: i8) -> civil::Time {
    civil::time(h, m, 0, 0)
}

fn euros(n: i64) -> Money {
    Money {
        minor: n * 100,
        currency: "EUR".into(),
    }
}

async fn house() -> (TempDir, House) {
    let dir = tempfile::tempdir().unwrap();
    let seed = Seed::parse(&std::fs::read_to_string(config("hotel.toml")).unwrap()).unwrap();
    let house = House::open(&dir.path().join("hotel.db"), &seed, &now())
        .await
        .unwrap();
    (dir, house)
}

#[tokio::test]
async fn the_shipped_house_quotes_by_its_own_rules() {
    let (_dir, house) = house().await;
    let price = async |room: &str, t| house.quote(room, t, &now()).await.unwrap().map(|q| q.price.minor);
    assert_eq!(price("204", at(12, 0)).await, Ok(0));
    assert_eq!(price("204", at(13, 0)).await, Ok(3000));
    assert_eq!(price("204", at(15, 0)).await, Err(Refusal::TooLate(at(14, 0))));
    assert_eq!(price("302", at(13, 30)).await, Err(Refusal::NextGuest(at(13, 0))));
    assert_eq!(price("102", at(13, 0)).await, Err(Refusal::FullyBooked));
    assert_eq!(price("204", at(10, 0)).await, Err(Refusal::NotNeeded));
    assert_eq!(price("999", at(13, 0)).await, Err(Refusal::UnknownRoom));
    assert_eq!(
        price("101", at(13, 0)).await,
        Err(Refusal::UnknownRoom),
        "RC-070: an empty room is no other answer"
    );
}

#[tokio::test]
async fn a_deed_is_done_once_and_leaves_one_line() {
    let (dir, house) = house().await;
    let first = house
        .book("204", at(13, 0), &euros(30), "k1", &now())
        .await
        .unwrap()
        .unwrap();
    let again = house
        .book("204", at(13, 0), &euros(30), "k1", &now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first, again);
    let (price, when) = (euros(30), now());
    let (a, b) = tokio::join!(
        house.book("206", at(13, 0), &price, "k2", &when),
        house.book("206", at(13, 0), &price, "k2", &when)
    );
    assert_eq!(a.unwrap().unwrap(), b.unwrap().unwrap());
    let later = house
        .book("204", at(14, 0), &euros(30), "k3", &now())
        .await
        .unwrap()
        .unwrap();
    assert!(later.reference > first.reference);
    assert_eq!(
        house
            .book("204", at(13, 0), &euros(30), "k1", &now())
            .await
            .unwrap()
            .unwrap(),
        first,
        "no step back"
    );
    let deeds = |lines: Vec<roomtone_hotel::AuditLine>| lines.into_iter().map(|l| l.deed).collect::<Vec<_>>();
    let wanted = [
        "house.seeded",
        "late_check_out.booked",
        "late_check_out.booked",
        "late_check_out.changed",
    ];
    assert_eq!(deeds(house.audit().await.unwrap()), wanted);
    drop(house);
    let seed = Seed::parse(&std::fs::read_to_string(config("hotel.toml")).unwrap()).unwrap();
    let reopened = House::open(&dir.path().join("hotel.db"), &seed, &now())
        .await
        .unwrap();
    assert_eq!(
        deeds(reopened.audit().await.unwrap()),
        wanted,
        "the seed is sown once"
    );
}

#[tokio::test]
async fn another_price_than_agreed_is_refused() {
    let (_dir, house) = house().await;
    let got = house
        .book("204", at(13, 0), &euros(0), "k1", &now())
        .await
        .unwrap();
    assert_eq!(got, Err(Refusal::PriceChanged), "RC-074");
    assert_eq!(house.audit().await.unwrap().len(), 1);
}

#[test]
fn a_malformed_seed_is_named() {
    let text = std::fs::read_to_string(config("hotel.toml")).unwrap();
    let broken = |from: &str, to: &str| Seed::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert!(broken("price = \"30.00\"", "price = \"30\"").contains("30.00"));
    assert!(broken("room = \"204\"", "room = \"999\"").contains("room 999"));
    assert!(broken("cleaning_minutes", "claening_minutes").contains("claening_minutes"));
}

struct Conversation {
    desk: Desk,
    state: State,
    tools: Toolbox,
}

impl Conversation {
    async fn hear(&mut self, input: Input) -> Reply {
        let mut step = self.desk.turn(&mut self.state, input, &now());
        loop {
            match step {
                Step::Done(reply) => return reply,
                Step::NeedsTool(call) => {
                    let result = self.tools.run(&call, &now()).await.unwrap();
                    step = self.desk.resume(&mut self.state, result, &now()).unwrap();
                }
            }
        }
    }

    async fn say(&mut self, text: &str) -> String {
        self.hear(Input::text(text)).await.spoken()
    }
}

async fn conversation(house: &House) -> Conversation {
    let desk = Desk::open(&config("desk"), &specs()).unwrap();
    assert_eq!(desk.warnings(), []);
    let clock = Arc::new(VirtualClock::new(now().timestamp()));
    let tools = tools(house).into_iter().fold(Toolbox::new(clock), Toolbox::with);
    let state = desk.open_conversation("c1");
    let mut c = Conversation { desk, state, tools };
    c.hear(Input::Started).await;
    c
}

#[tokio::test]
async fn the_shipped_desk_books_in_the_shipped_house() {
    let (_dir, house) = house().await;
    let mut c = conversation(&house).await;
    assert!(
        c.say("what time is breakfast")
            .await
            .starts_with("Breakfast is from seven to half past ten")
    );
    assert_eq!(
        c.say("could i have a late check out until one o'clock please")
            .await,
        "What is your room number?"
    );
    assert_eq!(
        c.say("two oh four").await,
        "Room two oh four, until one in the afternoon, for thirty euros. Shall I book that?"
    );
    assert!(c.say("yes please").await.starts_with("It's booked"));
    assert_eq!(
        house.audit().await.unwrap().last().unwrap().deed,
        "late_check_out.booked"
    );
    let reply = c.hear(Input::text("no thank you, goodbye")).await;
    assert!(reply.end_call);
}

#[tokio::test]
async fn every_refusal_of_the_house_has_words() {
    let (_dir, house) = house().await;
    let cases = [
        (
            "late check out until five in the afternoon for room two oh four",
            "too late, the latest is two",
        ),
        (
            "late check out until half past one for room three oh two",
            "next guest before that. Would one in the afternoon",
        ),
        ("late check out until one for room one oh two", "isn't possible"),
        (
            "late check out until ten for room two oh four",
            "until eleven in the morning in any case",
        ),
        (
            "late check out until one for room one oh one",
            "can't book that for room one oh one",
        ),
    ];
    for (text, wanted) in cases {
        let mut c = conversation(&house).await;
        let said = c.say(text).await;
        assert!(said.contains(wanted), "{text}: {said}");
    }
    assert_eq!(house.audit().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_toolbox_stands_before_every_tool() {
    let (_dir, house) = house().await;
    let c = conversation(&house).await;
    let mut made = conversation(&house).await;
    made.say("late check out until one for room two oh four").await;
    let good = match made.desk.turn(&mut made.state, Input::text("yes"), &now()) {
        Step::NeedsTool(call) => call,
        Step::Done(reply) => panic!("{reply:?}"),
    };
    let refused = async |change: &dyn Fn(&mut ToolCall)| {
        let mut call = good.clone();
        change(&mut call);
        c.tools.run(&call, &now()).await.unwrap_err().to_string()
    };
    let room = || roomtone_lang::Value::Digits("206".into());
    assert!(
        refused(&|c| c.tool = "open_safe".into())
            .await
            .contains("no such tool")
    );
    assert!(
        refused(&|c| c.agreed = None).await.contains("read back"),
        "RC-027"
    );
    assert!(
        refused(&|c| drop(c.arguments.insert("room".into(), room())))
            .await
            .contains("not what was read back")
    );
    assert!(
        refused(&|c| drop(c.arguments.remove("price")))
            .await
            .contains("missing")
    );
    assert!(
        refused(&|c| drop(c.arguments.insert("discount".into(), room())))
            .await
            .contains("unknown")
    );
    assert!(
        refused(&|c| drop(c.arguments.insert("time".into(), room())))
            .await
            .contains("another kind")
    );
    assert!(
        refused(&|c| c.proof = Default::default()).await.contains("proof"),
        "RC-030"
    );
    assert_eq!(house.audit().await.unwrap().len(), 1);
    assert!(matches!(
        c.tools.run(&good, &now()).await.unwrap(),
        ToolResult::Done { .. }
    ));
}
