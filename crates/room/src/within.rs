//! Bounded waiting that costs nothing when there is nothing to wait for.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use roomtone_base::{Clock, Sleep};

/// Runs `work` for at most `limit`; `None` if it was not done by then. A timer is only made once `work` really waits,
/// because most of the engine's steps never do.
pub(crate) async fn within<F: Future>(clock: &dyn Clock, limit: Duration, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let deadline = clock.mono() + limit;
    let mut timer: Option<Sleep> = None;
    std::future::poll_fn(move |cx| {
        if let Poll::Ready(output) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let timer = timer.get_or_insert_with(|| clock.sleep_until(deadline));
        Pin::new(timer).poll(cx).map(|()| None)
    })
    .await
}
