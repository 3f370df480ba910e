//! The media thread allocates nothing once a call is there.
#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use common::{
    config, deps, pause, soon,
    wire::{Peer, rtp_of},
};
use roomtone_audio::{Codec, Encoded};
use roomtone_base::{Clock, Mono, SharedClock, Sleep, SystemClock};
use roomtone_sip::{CallEvent, Endpoint};

static ON_MEDIA_THREAD: AtomicU64 = AtomicU64::new(0);
static TICKS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}

struct Counting;

fn count() {
    if WATCHED.try_with(Cell::get).unwrap_or(false) {
        ON_MEDIA_THREAD.fetch_add(1, Relaxed);
    }
}

// SAFETY: hands everything to the system's allocator unchanged; counting touches only an atomic and a thread local
// without destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(p, layout) }
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise, passed on.
        unsafe { System.realloc(p, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The machine's clock; the media thread reads it in every tick and is known by that.
struct Telltale(SystemClock);

impl Clock for Telltale {
    fn now(&self) -> jiff::Timestamp {
        self.0.now()
    }

    fn mono(&self) -> Mono {
        if std::thread::current().name() == Some("roomtone-media") {
            WATCHED.set(true);
            TICKS.fetch_add(1, Relaxed);
        }
        self.0.mono()
    }

    fn sleep_until(&self, deadline: Mono) -> Sleep {
        self.0.sleep_until(deadline)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_allocated_or_freed_while_calls_run() {
    let clock: SharedClock = Arc::new(Telltale(SystemClock::new()));
    let deps = roomtone_sip::Deps { clock, ..deps().0 };
    let (endpoint, mut calls) = Endpoint::bind(config(), deps).await.unwrap();
    let mut running = Vec::new();
    for id in ["m1", "m2"] {
        let peer = Peer::new(endpoint.local_addr()).await;
        peer.send(peer.request("INVITE", id, 1, "", "", &peer.sdp("sendrecv")))
            .await;
        let incoming = soon(calls.recv()).await.unwrap();
        let mut call = incoming.answer().await.unwrap();
        let ok = peer.final_response().await;
        peer.send(peer.request("ACK", id, 1, &ok.to_tag(), "", "")).await;
        assert_eq!(soon(call.events.recv()).await, Some(CallEvent::Established));
        running.push((id, peer, call, ok));
    }
    pause(100).await;
    let (before, ticks) = (ON_MEDIA_THREAD.load(Relaxed), TICKS.load(Relaxed));
    for round in 0..50u32 {
        for (id, peer, call, ok) in &mut running {
            let rtp = rtp_of(ok.body());
            // In order, doubled, missing, an event, junk.
            if round % 7 != 3 {
                peer.rtp(rtp).await;
            }
            peer.rtp
                .send_to(
                    &[0x80, 101, 0, round as u8, 0, 0, 0, 1, 0, 0, 0, 9, 5, 0x8a, 3, 32],
                    rtp,
                )
                .await
                .unwrap();
            peer.rtp.send_to(b"junk", rtp).await.unwrap();
            call.media
                .outbound
                .push(Encoded::audio(Codec::Pcmu, &[0x55; 160]));
            while call.media.inbound.pop().is_some() {}
            match round {
                10 => call.handle.send_digit('5', Duration::from_millis(100)).unwrap(),
                20 => {
                    let m = peer
                        .ask(peer.request("INVITE", id, 2, &ok.to_tag(), "", &peer.sdp("sendonly")))
                        .await;
                    assert_eq!(m.code(), 200);
                    peer.send(peer.request("ACK", id, 2, &ok.to_tag(), "", "")).await;
                }
                _ => {}
            }
        }
        pause(20).await;
    }
    let (allocations, ticks) = (
        ON_MEDIA_THREAD.load(Relaxed) - before,
        TICKS.load(Relaxed) - ticks,
    );
    assert!(ticks > 50, "the media thread was not seen");
    assert!(
        running
            .iter()
            .all(|(_, _, call, _)| call.media.stats.snapshot().received > 50)
    );
    assert_eq!(allocations, 0);
}
