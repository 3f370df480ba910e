//! Whole conversations in text.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{Call, euros, now, values};
use roomtone_desk::{
    Act, Input, Pending,
    tool::{Arguments, ToolResult},
};
use roomtone_lang::Value;

#[test]
fn the_first_sentence_says_that_this_is_an_automatic_assistant() {
    let call = Call::begin();
    assert!(
        call.last.text[0].contains("automatic assistant"),
        "RC-078: {:?}",
        call.last.text
    );
    assert_eq!(
        (call.last.acts.as_slice(), call.last.expects.as_str()),
        (&[Act::Greet][..], "open")
    );
}

#[test]
fn a_question_a_late_check_out_and_a_good_bye() {
    let mut call = Call::begin();
    let text = call.say("what time is breakfast");
    assert!(
        text.starts_with("Breakfast is from seven to half past ten in the morning"),
        "{text}"
    );
    let text = call.say("could i have a late check out until one o'clock please");
    assert_eq!(text, "What is your room number?");
    assert_eq!(call.last.expects, "late_check_out_room");
    let text = call.say("two oh four");
    assert_eq!(
        text,
        "Room two oh four, until one in the afternoon, for thirty euros. Shall I book that?"
    );
    assert_eq!(call.last.expects, "late_check_out_confirm");
    let text = call.say("yes please");
    assert!(
        text.starts_with("It's booked, you have the room until one in the afternoon."),
        "{text}"
    );
    assert!(
        matches!(&call.last.acts[0], Act::Done { frame, reference: Some(r), .. } if frame == "late_check_out" && r == "48213")
    );
    let book = call.tools.last().unwrap();
    assert_eq!(book.tool, "late_check_out_book");
    assert_eq!(
        book.arguments["price"],
        euros(30),
        "RC-072: the price that was read back"
    );
    assert_eq!(
        book.arguments
            .iter()
            .find(|(k, v)| book.agreed.as_ref().unwrap()[*k] != **v),
        None
    );
    let text = call.say("no thank you, goodbye");
    assert_eq!(text, "Goodbye, and enjoy your stay.");
    assert!(call.last.end_call);
}

#[test]
fn one_thing_is_asked_at_a_time_and_nothing_twice() {
    let mut call = Call::begin();
    assert_eq!(
        call.say("I'd like a late checkout, please."),
        "Until what time would you like to keep the room?",
        "RC-021"
    );
    assert_eq!(
        call.say("until half past one and i am in room 204"),
        "Room two oh four, until half past one in the afternoon, for thirty euros. Shall I book that?",
        "RC-020"
    );
}

#[test]
fn everything_in_one_breath() {
    let mut call = Call::begin();
    let text = call.say("hello, i'm in room 2 0 4 and we'd like to keep the room until two in the afternoon");
    assert!(
        text.starts_with("Room two oh four, until two in the afternoon"),
        "{text}"
    );
}

#[test]
fn a_question_in_the_middle_is_answered_and_the_open_one_asked_again() {
    let mut call = Call::begin();
    call.say("late check out until one");
    let text = call.say("is there parking");
    assert!(
        text.ends_with("for twelve euros a night. What is your room number?"),
        "RC-023: {text}"
    );
    call.say("two oh four");
    let text = call.say("okay and what time is breakfast");
    assert!(text.ends_with("Shall I book the late check-out?"), "{text}");
    assert!(
        call.tools.iter().all(|t| t.tool != "late_check_out_book"),
        "okay was no yes"
    );
    assert!(call.say("yes").starts_with("It's booked"));
}

#[test]
fn a_correction_at_the_read_back_changes_the_slot_and_only_it_is_read_back() {
    let mut call = Call::begin();
    call.say("late check out until one for room two oh four");
    let text = call.say("no until noon");
    assert_eq!(
        text, "So until noon, free of charge. Shall I book that?",
        "RC-024, RC-027"
    );
    let text = call.say("no, room two oh six");
    assert_eq!(text, "So room two oh six, until noon. Shall I book that?");
    let text = call.say("not noon, two o'clock");
    assert_eq!(
        text,
        "So until two in the afternoon, for thirty euros. Shall I book that?"
    );
    call.say("yes that's right");
    let book = call.tools.last().unwrap();
    let plain = |k: &str| book.arguments[k].plain();
    assert_eq!(
        (plain("room"), plain("time"), plain("price")),
        ("206".into(), "14:00".into(), "3000 EUR".into())
    );
}

#[test]
fn a_bare_no_asks_what_to_change() {
    let mut call = Call::begin();
    call.say("late check out until one for room two oh four");
    assert_eq!(call.say("no"), "What should I change, the time or the room?");
    assert_eq!(call.last.expects, "late_check_out_change");
    assert!(call.say("the time is wrong").contains("ime"));
    assert!(
        call.say("half past twelve")
            .starts_with("So until half past twelve in the afternoon")
    );
    assert!(call.say("no").starts_with("What should I change"));
    assert!(
        call.say("forget it").starts_with("All right, I'll leave that."),
        "RC-025"
    );
    assert!(call.tools.iter().all(|t| t.tool != "late_check_out_book"));
}

#[test]
fn a_refusal_names_the_nearest_alternative() {
    let mut call = Call::begin();
    let text = call.say("late check out until five in the afternoon for room two oh four");
    assert!(
        text.contains(
            "too late, the latest is two in the afternoon. Would two in the afternoon be all right?"
        ),
        "RC-026: {text}"
    );
    assert_eq!(call.last.expects, "yes_no");
    assert!(
        call.say("yes please")
            .starts_with("Room two oh four, until two in the afternoon")
    );
    let mut call = Call::begin();
    let text = call.say("late check out until one for room nine oh nine");
    assert_eq!(
        text,
        "I can't book that for room nine oh nine. What is your room number?"
    );
}

#[test]
fn a_failed_write_is_said_as_failed() {
    let mut call = Call::begin();
    call.say("late check out until one for room two oh four");
    let mut broken = |_: &_| ToolResult::Failed {
        reason: "disk full".into(),
        retryable: true,
    };
    let text = call.input_with(Input::text("yes"), &mut broken);
    assert!(
        text.contains("didn't work") && !text.contains("booked"),
        "RC-075: {text}"
    );
    assert!(!call.last.acts.iter().any(|a| matches!(a, Act::Done { .. })));
}

#[test]
fn a_price_that_changed_in_between_is_read_back_again() {
    let mut call = Call::begin();
    call.say("late check out until one for room two oh four");
    let mut dearer = |c: &roomtone_desk::tool::ToolCall| match c.tool.as_str() {
        "late_check_out_book" => ToolResult::Refused {
            reason: "price_changed".into(),
            slot: None,
            alternative: None,
            values: Arguments::new(),
        },
        _ => ToolResult::Done {
            values: values(&[("price", euros(40)), ("free", Value::Text("no".into()))]),
        },
    };
    let text = call.input_with(Input::text("yes"), &mut dearer);
    assert!(text.contains("forty euros"), "{text}");
}

#[test]
fn not_understood_goes_down_the_ladder_and_ends() {
    let mut call = Call::begin();
    call.say("late check out until one");
    assert!(
        call.say("blorp wexel thrim")
            .starts_with("Sorry, I didn't get that. Your room number, please?"),
        "RC-028"
    );
    assert!(call.input(Input::NoMatch).contains("key card"));
    assert!(call.say("grelm fozz").contains("keypad"));
    assert!(call.say("wexel").contains("front desk"));
    assert!(call.state.tasks().is_empty());
    for _ in 0..4 {
        call.input(Input::NoMatch);
    }
    assert!(call.last.end_call);
}

#[test]
fn silence_goes_down_its_ladder_and_ends_politely() {
    let mut call = Call::begin();
    call.say("late check out until one");
    assert!(
        call.input(Input::NoInput)
            .starts_with("Your room number, please?")
    );
    assert!(call.input(Input::NoInput).contains("keypad"));
    assert!(call.input(Input::NoInput).contains("person"));
    assert!(call.input(Input::NoInput).contains("Goodbye"), "RC-028");
    assert!(call.last.end_call);
    let mut call = Call::begin();
    call.say("what time is breakfast");
    call.input(Input::NoInput);
    assert!(call.input(Input::NoInput).contains("Goodbye") && call.last.end_call);
}

#[test]
fn progress_resets_the_ladder() {
    let mut call = Call::begin();
    for _ in 0..5 {
        assert!(call.say("blorp wexel").contains("Sorry"));
        call.say("what time is breakfast");
    }
}

#[test]
fn repeat_wait_help_and_do_not_know_work_in_every_state() {
    let mut call = Call::begin();
    call.say("late check out until one");
    let asked = call.last.text.clone();
    call.say("could you say that again please");
    assert_eq!(
        (call.last.text.clone(), call.last.acts.clone()),
        (asked, vec![Act::Repeat]),
        "RC-029"
    );
    assert_eq!(call.say("one moment please"), "Of course, take your time.");
    assert!(call.say("i don't know").contains("key card"));
    assert!(call.say("help").contains("key card"));
    assert!(call.say("two oh four").starts_with("Room two oh four"));
}

#[test]
fn a_person_is_refused_honestly_and_the_question_asked_again() {
    let mut call = Call::begin();
    call.say("late check out until one");
    let text = call.say("can i speak to a person please");
    assert!(
        text.contains("can't connect you") && text.ends_with("What is your room number?"),
        "{text}"
    );
}

#[test]
fn the_keypad_answers_every_question() {
    let mut call = Call::begin();
    let mut keys = |k: &str| call.input(Input::Digits(k.into()));
    assert!(keys("1").starts_with("Breakfast"), "RC-043");
    assert!(keys("2").starts_with("Until what time"));
    assert_eq!(
        (keys("1"), keys("3"), keys("3")),
        (String::new(), String::new(), String::new())
    );
    assert!(keys("0").starts_with("What is your room number"));
    assert!(keys("9").starts_with("What is your room number"));
    assert_eq!((keys("2"), keys("0")), (String::new(), String::new()));
    assert!(keys("4").starts_with("Room two oh four, until half past one in the afternoon"));
    assert!(keys("2").starts_with("What should I change"));
    assert!(keys("*").starts_with("What is your room number"));
    assert!(keys("206#").starts_with("So room two oh six"));
    assert!(keys("0").contains("can't connect you"));
    assert!(keys("1").starts_with("It's booked"));
}

#[test]
fn a_read_back_that_was_cut_short_is_read_again_before_a_yes_counts() {
    let mut call = Call::begin();
    call.say("late check out until one for room two oh four");
    assert_eq!(call.input(Input::Interrupted { heard: 0 }), "");
    assert!(call.say("yes").starts_with("Room two oh four"), "RC-042");
    assert!(call.say("yes").starts_with("It's booked"));
}

#[test]
fn leaving_in_the_middle_says_that_nothing_was_booked() {
    let mut call = Call::begin();
    call.say("late check out until one");
    assert_eq!(
        call.say("goodbye"),
        "Your late check-out is not booked. Goodbye, and enjoy your stay.",
        "RC-035"
    );
    assert!(call.last.end_call);
    assert_eq!(call.say("hello"), "");
}

#[test]
fn two_wishes_in_one_sentence_are_both_kept() {
    let mut call = Call::begin();
    let text = call.say("what time is breakfast and could i have a late check out");
    assert!(
        text.contains("Breakfast is") && text.ends_with("Until what time would you like to keep the room?"),
        "RC-022: {text}"
    );
}

#[test]
fn card_numbers_are_stopped_and_not_kept() {
    let mut call = Call::begin();
    let text = call.say("my card is 4111 1111 1111 1111");
    assert!(text.contains("card numbers"), "RC-073: {text}");
    let kept = format!("{:?} {:?}", call.last, call.state);
    assert!(!kept.contains("4111") && !kept.contains("four one"), "{kept}");
}

#[test]
fn danger_comes_first_in_every_state() {
    let mut call = Call::begin();
    call.say("late check out until one for room two oh four");
    for text in [
        "help there is a fire in the corridor",
        "we need an ambulance",
        "my husband is unconscious",
        "i smell smoke",
    ] {
        assert!(call.say(text).contains("dial one one two"), "RC-076: {text}");
    }
    for text in ["is there a fireplace", "where is the fire exit", "no emergency"] {
        assert!(!call.say(text).contains("dial"), "RC-076: {text}");
    }
}

#[test]
fn the_other_readings_of_a_recogniser_are_tried() {
    let mut call = Call::begin();
    let input = Input::Text {
        text: "what dime he's brick fast".into(),
        confidence: Some(0.4),
        alternatives: vec!["what time is breakfast".into()],
    };
    assert!(call.input(input).starts_with("Breakfast"));
}

#[test]
fn the_same_state_input_and_time_give_the_same_step() {
    let mut a = Call::begin();
    let mut b = Call::begin();
    for text in ["late check out", "until one", "two oh four"] {
        a.say(text);
        b.say(text);
        assert_eq!((&a.last, &a.state), (&b.last, &b.state));
    }
    assert!(matches!(a.state.pending(), Pending::Confirm { .. }));
}

#[test]
fn every_conversation_is_bounded() {
    let mut call = Call::begin();
    for _ in 0..70 {
        call.say("what time is breakfast");
    }
    assert!(call.last.end_call);
    let desk = common::desk();
    let mut state = desk.open_conversation("old");
    let step = |state: &mut _, at: &jiff::Zoned| {
        desk.answer(state, Input::text("hello"), at, &mut common::house)
            .unwrap()
    };
    step(&mut state, &now());
    let later = now().checked_add(jiff::SignedDuration::from_mins(21)).unwrap();
    assert!(step(&mut state, &later).end_call);
}

#[test]
fn turns_are_short() {
    let mut call = Call::begin();
    let all = [
        "what time is breakfast",
        "how much is a late check out",
        "where can i park",
        "late check out",
        "help",
        "blorp",
        "noon",
        "two oh four",
        "maybe",
        "yes",
    ];
    for text in all {
        let said = call.say(text);
        let confirm = call.last.acts.iter().any(|a| matches!(a, Act::Confirm { .. }));
        assert!(
            confirm || (said.split_whitespace().count() <= 27 && call.last.text.len() <= 3),
            "RC-040: {said}"
        );
    }
}
