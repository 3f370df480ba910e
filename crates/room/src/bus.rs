//! Telling the host.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::model::{FrameworkEvent, FrameworkEventType};

type Listener = Box<dyn Fn(&FrameworkEvent) + Send + Sync>;

struct Entry {
    types: Vec<FrameworkEventType>,
    listener: Listener,
}

/// Ends the subscription when it is dropped.
#[must_use = "dropping it ends the subscription"]
pub struct Subscription {
    bus: Weak<Bus>,
    entry: Weak<Entry>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(bus) = self.bus.upgrade() else { return };
        let mut entries = bus.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| !std::ptr::eq(Arc::as_ptr(entry), self.entry.as_ptr()));
        bus.listened.store(!entries.is_empty(), Ordering::Relaxed);
    }
}

/// Those who listen to framework events.
#[derive(Default)]
pub(crate) struct Bus {
    entries: RwLock<Vec<Arc<Entry>>>,
    listened: AtomicBool,
}

impl Bus {
    /// Calls `listener` for each event of these types, or of any type if there are none.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        types: Vec<FrameworkEventType>,
        listener: impl Fn(&FrameworkEvent) + Send + Sync + 'static,
    ) -> Subscription {
        let entry = Arc::new(Entry {
            types,
            listener: Box::new(listener),
        });
        let subscription = Subscription {
            bus: Arc::downgrade(self),
            entry: Arc::downgrade(&entry),
        };
        self.entries
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
        self.listened.store(true, Ordering::Relaxed);
        subscription
    }

    /// Would anybody hear? Saves making an event that nobody wants.
    pub(crate) fn is_listened(&self) -> bool {
        self.listened.load(Ordering::Relaxed)
    }

    /// Tells everybody; never fails what it tells of (RE-218).
    pub(crate) fn emit(&self, event: &FrameworkEvent) {
        let entries = self
            .entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for entry in entries {
            if entry.types.is_empty() || entry.types.contains(&event.event_type) {
                let told = std::panic::catch_unwind(AssertUnwindSafe(|| (entry.listener)(event)));
                if told.is_err() {
                    tracing::error!(target: "roomtone::room", event = %event.event_type, "a listener panicked");
                }
            }
        }
    }
}
