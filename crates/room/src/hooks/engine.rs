//! Finds and runs the hooks of a moment.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::{FutureExt, future};
use roomtone_base::{RoomId, SharedClock};

use super::{
    HookAction, HookContext, HookExecution, HookPayload, HookRegistration, HookResult, HookSource,
    HookTrigger, InjectedEvent,
};
use crate::{
    model::{Map, Observation, Task},
    within::within,
};

/// What the synchronous hooks of a moment decided together.
#[derive(Clone, Debug)]
pub struct HookVerdict {
    /// The payload as the last hook left it.
    pub payload: HookPayload,
    /// The hook that stopped it, and why; none if it may go on.
    pub blocked: Option<(String, Option<String>)>,
    /// Events that the hooks add.
    pub injected_events: Vec<InjectedEvent>,
    /// Things to do.
    pub tasks: Vec<Task>,
    /// Things noticed.
    pub observations: Vec<Observation>,
    /// The hooks' own facts; later hooks win.
    pub metadata: Map,
    /// Hooks that failed or were late, for the host to be told.
    pub reports: Vec<HookReport>,
}

impl HookVerdict {
    pub(crate) fn pass(payload: HookPayload) -> Self {
        HookVerdict {
            payload,
            blocked: None,
            injected_events: Vec::new(),
            tasks: Vec::new(),
            observations: Vec::new(),
            metadata: Map::new(),
            reports: Vec::new(),
        }
    }
}

/// A hook that gave no valid answer (RE-100).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookReport {
    /// Which hook.
    pub hook_name: String,
    /// When it was asked.
    pub trigger: HookTrigger,
    /// What went wrong; none if it was only too late.
    pub error: Option<String>,
    /// How long it was given.
    pub timeout: Duration,
}

type Registered = Arc<[Arc<HookRegistration>]>;

/// The registered hooks. Hooks may come and go at any time; a run uses those that were there when it began.
pub struct HookEngine {
    clock: SharedClock,
    by_trigger: RwLock<HashMap<HookTrigger, Registered>>,
}

impl HookEngine {
    /// Without hooks.
    pub fn new(clock: SharedClock) -> Self {
        HookEngine {
            clock,
            by_trigger: RwLock::new(HashMap::new()),
        }
    }

    /// Adds a hook; one of the same trigger, name and room is replaced. A watching trigger runs all its hooks
    /// asynchronously, whatever the registration says.
    pub fn add(&self, registration: HookRegistration) {
        let mut table = self.by_trigger.write().unwrap_or_else(PoisonError::into_inner);
        let old = table.remove(&registration.trigger).unwrap_or_default();
        let trigger = registration.trigger;
        let mut hooks: Vec<_> = old
            .iter()
            .filter(|hook| hook.name != registration.name || hook.room_id != registration.room_id)
            .cloned()
            .collect();
        hooks.push(Arc::new(registration));
        // Stable: hooks of equal priority keep their order of registration.
        hooks.sort_by_key(|hook| hook.priority);
        table.insert(trigger, hooks.into());
    }

    /// Takes a hook out of every trigger; `false` if there was none. `room_id` none means the global one.
    pub fn remove(&self, name: &str, room_id: Option<&RoomId>) -> bool {
        let mut table = self.by_trigger.write().unwrap_or_else(PoisonError::into_inner);
        let mut existed = false;
        for hooks in table.values_mut() {
            let kept: Vec<_> = hooks
                .iter()
                .filter(|hook| hook.name != name || hook.room_id.as_ref() != room_id)
                .cloned()
                .collect();
            if kept.len() != hooks.len() {
                existed = true;
                *hooks = kept.into();
            }
        }
        existed
    }

    /// May any hook block or change this moment? Lets callers leave out what only hooks would need.
    pub fn has(&self, trigger: HookTrigger) -> bool {
        self.any(trigger, HookExecution::Sync)
    }

    /// Does any hook watch this moment?
    pub fn watches(&self, trigger: HookTrigger) -> bool {
        self.any(trigger, HookExecution::Async)
    }

    fn any(&self, trigger: HookTrigger, execution: HookExecution) -> bool {
        let table = self.by_trigger.read().unwrap_or_else(PoisonError::into_inner);
        table
            .get(&trigger)
            .is_some_and(|hooks| hooks.iter().any(|hook| runs_as(hook) == execution))
    }

    fn table(&self, trigger: HookTrigger) -> Option<Registered> {
        self.by_trigger
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&trigger)
            .cloned()
    }

    fn matching(&self, context: &HookContext, execution: HookExecution) -> Vec<Arc<HookRegistration>> {
        let Some(hooks) = self.table(context.trigger) else {
            return Vec::new();
        };
        hooks
            .iter()
            .filter(|hook| {
                let run_as = if context.trigger.is_sync() {
                    hook.execution
                } else {
                    HookExecution::Async
                };
                run_as == execution
                    && hook
                        .room_id
                        .as_ref()
                        .is_none_or(|room| Some(room) == context.room_id.as_ref())
                    && fits(hook, &context.source)
            })
            .cloned()
            .collect()
    }

    /// Asks the synchronous hooks one after another in priority order (RE-092). The first that blocks ends the chain;
    /// a replaced payload goes to the next.
    pub async fn run_sync(&self, payload: HookPayload, context: &HookContext) -> HookVerdict {
        let mut verdict = HookVerdict::pass(payload);
        for hook in self.matching(context, HookExecution::Sync) {
            let answer = self.ask(&hook, verdict.payload.clone(), context).await;
            let answer = answer.and_then(|result| match &result.action {
                HookAction::Modify(new) if !new.same_type(&verdict.payload) => Err(report(
                    &hook,
                    Some("it replaced the payload with one of another type".to_owned()),
                )),
                _ => Ok(result),
            });
            match answer {
                Ok(HookResult {
                    action,
                    injected_events,
                    tasks,
                    observations,
                    metadata,
                }) => {
                    verdict.injected_events.extend(injected_events);
                    verdict.tasks.extend(tasks);
                    verdict.observations.extend(observations);
                    verdict.metadata.extend(metadata);
                    match action {
                        HookAction::Allow => {}
                        HookAction::Modify(new) => verdict.payload = new,
                        HookAction::Block { reason } => {
                            verdict.blocked = Some((hook.name.clone(), reason));
                            break;
                        }
                    }
                }
                Err(failure) => {
                    tell(&failure);
                    verdict.reports.push(failure);
                    if context.trigger.fails_closed() {
                        verdict.blocked = Some((hook.name.clone(), Some("hook_failed".to_owned())));
                        break;
                    }
                }
            }
        }
        verdict
    }

    /// Runs the asynchronous hooks concurrently until all ended (RE-097); gives back those that failed.
    pub async fn run_async(&self, payload: HookPayload, context: &HookContext) -> Vec<HookReport> {
        let hooks = self.matching(context, HookExecution::Async);
        let runs = hooks.iter().map(|hook| self.ask(hook, payload.clone(), context));
        let failures: Vec<_> = future::join_all(runs)
            .await
            .into_iter()
            .filter_map(Result::err)
            .collect();
        failures.iter().for_each(tell);
        failures
    }

    async fn ask(
        &self,
        hook: &HookRegistration,
        payload: HookPayload,
        context: &HookContext,
    ) -> Result<HookResult, HookReport> {
        // A hook is the host's code: whatever it does stays its own failure.
        let call = AssertUnwindSafe(hook.hook.call(payload, context)).catch_unwind();
        match within(&*self.clock, hook.timeout, call).await {
            Some(Ok(Ok(result))) => Ok(result),
            Some(Ok(Err(error))) => Err(report(hook, Some(error.0))),
            Some(Err(_panic)) => Err(report(hook, Some("it panicked".to_owned()))),
            None => Err(report(hook, None)),
        }
    }
}

/// A watching trigger has watching hooks only, whatever their registration says.
fn runs_as(hook: &HookRegistration) -> HookExecution {
    if hook.trigger.is_sync() {
        hook.execution
    } else {
        HookExecution::Async
    }
}

fn report(hook: &HookRegistration, error: Option<String>) -> HookReport {
    HookReport {
        hook_name: hook.name.clone(),
        trigger: hook.trigger,
        error,
        timeout: hook.timeout,
    }
}

fn tell(failure: &HookReport) {
    let (hook, trigger) = (failure.hook_name.as_str(), failure.trigger.as_str());
    match &failure.error {
        Some(error) => tracing::error!(target: "roomtone::room::hooks", hook, trigger, error, "hook failed"),
        None => tracing::warn!(target: "roomtone::room::hooks", hook, trigger, "hook took too long"),
    }
}

fn fits(hook: &HookRegistration, source: &HookSource) -> bool {
    fn one_of<T: PartialEq>(wanted: &[T], is: Option<&T>) -> bool {
        wanted.is_empty() || is.is_some_and(|is| wanted.contains(is))
    }
    one_of(&hook.channel_types, source.channel_type.as_ref())
        && one_of(&hook.channel_ids, source.channel_id.as_ref())
        && one_of(&hook.directions, source.direction.as_ref())
}
