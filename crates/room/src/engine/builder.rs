//! Putting an engine together.

use std::{collections::HashMap, sync::Arc, time::Duration};

use roomtone_base::{EvidenceSink, IdSource, NoEvidence, NoTelemetry, SharedClock, Telemetry};
use tokio::sync::Notify;

use super::{Inner, RoomEngine};
use crate::{
    DefaultRouter, Error, Locks, MemoryLocks, Result, Router, Store, bus::Bus, hooks::HookEngine, lane::Lanes,
};

/// What may be tuned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// An answer this deep is stored blocked; 5 lets four answers follow one another. `1..=100`: it can never be
    /// switched off (RE-171, RE-172).
    pub max_chain_depth: u32,
    /// Longest time from the room's context to the decision, waiting for the room included (RE-116).
    pub process_timeout: Duration,
    /// Longest time for one channel to think about, deliver or say one event (RE-117).
    pub delivery_timeout: Duration,
    /// Newest events that channels and hooks are shown.
    pub recent_events: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_chain_depth: 5,
            process_timeout: Duration::from_secs(30),
            // A long answer is spoken, not sent: two minutes of speech fit.
            delivery_timeout: Duration::from_secs(120),
            recent_events: 20,
        }
    }
}

/// Collects the parts of an engine.
pub struct RoomEngineBuilder {
    clock: SharedClock,
    ids: IdSource,
    store: Arc<dyn Store>,
    locks: Arc<dyn Locks>,
    router: Arc<dyn Router>,
    telemetry: Arc<dyn Telemetry>,
    evidence: Arc<dyn EvidenceSink>,
    settings: Settings,
}

impl RoomEngineBuilder {
    pub(super) fn new(clock: SharedClock, ids: IdSource, store: Arc<dyn Store>) -> Self {
        RoomEngineBuilder {
            clock,
            ids,
            store,
            locks: Arc::new(MemoryLocks::default()),
            router: Arc::new(DefaultRouter),
            telemetry: Arc::new(NoTelemetry),
            evidence: Arc::new(NoEvidence),
            settings: Settings::default(),
        }
    }

    /// Locks other than this process's own.
    #[must_use]
    pub fn locks(mut self, locks: Arc<dyn Locks>) -> Self {
        self.locks = locks;
        self
    }

    /// A router other than the specification's.
    #[must_use]
    pub fn router(mut self, router: Arc<dyn Router>) -> Self {
        self.router = router;
        self
    }

    /// Where spans go.
    #[must_use]
    pub fn telemetry(mut self, telemetry: Arc<dyn Telemetry>) -> Self {
        self.telemetry = telemetry;
        self
    }

    /// Where evidence goes: `room.committed` and `room.blocked`.
    #[must_use]
    pub fn evidence(mut self, evidence: Arc<dyn EvidenceSink>) -> Self {
        self.evidence = evidence;
        self
    }

    /// Settings other than the defaults.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The engine.
    ///
    /// # Errors
    /// [`Error::Setting`] for a chain depth outside `1..=100` or a timeout of zero.
    pub fn build(self) -> Result<RoomEngine> {
        if !(1..=100).contains(&self.settings.max_chain_depth) {
            return Err(Error::Setting(
                "max_chain_depth must be 1 to 100: answers to answers must end",
            ));
        }
        if self.settings.process_timeout.is_zero() || self.settings.delivery_timeout.is_zero() {
            return Err(Error::Setting("a timeout must be longer than zero"));
        }
        let inner = Inner {
            hooks: HookEngine::new(self.clock.clone()),
            clock: self.clock,
            ids: self.ids,
            store: self.store,
            locks: self.locks,
            router: self.router,
            telemetry: self.telemetry,
            evidence: self.evidence,
            settings: self.settings,
            channels: HashMap::new().into(),
            lanes: Arc::new(Lanes::default()),
            bus: Arc::new(Bus::default()),
            shut: false.into(),
            at_work: 0.into(),
            rested: Notify::new(),
        };
        Ok(RoomEngine {
            inner: Arc::new(inner),
        })
    }
}
