//! Work that ends even if nobody waits for it any more (RE-116).

use std::{
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use super::Inner;
use crate::reach::Stand;

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs in its caller's task, which costs no switch between tasks. If the caller gives up before the end, a task of
/// its own takes over where the work stands.
pub(super) struct Carried<T: Send + 'static> {
    work: Option<Work<T>>,
}

impl<T: Send + 'static> Future for Carried<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // Taken out while it runs: work that panics is not taken over.
        let mut work = self.work.take().expect("not polled again after its end");
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Carried<T> {
    fn drop(&mut self) {
        // Without a runtime there is nobody to take over: the program is ending.
        if let (Some(work), Ok(runtime)) = (self.work.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

impl Inner {
    /// Work that is counted as going on, and ends even if its caller gives up.
    pub(super) fn carry<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Carried<T> {
        let at_work = AtWork::begin(self);
        let stand = Stand::current();
        let work = async move {
            let _at_work = at_work;
            Stand::resume(stand, work).await
        };
        Carried {
            work: Some(Box::pin(work)),
        }
    }

    /// Work that nobody waits for, in a task of its own.
    pub(super) fn detach(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.carry(work));
    }
}

/// Something is going on for as long as this lives.
struct AtWork(Arc<Inner>);

impl AtWork {
    fn begin(inner: &Arc<Inner>) -> Self {
        inner.at_work.fetch_add(1, Ordering::AcqRel);
        AtWork(inner.clone())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if self.0.at_work.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.rested.notify_waiters();
        }
    }
}
