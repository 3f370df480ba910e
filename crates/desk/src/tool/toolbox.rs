//! The tools of a desk, and the check that stands before each.

use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use jiff::Zoned;
use roomtone_base::SharedClock;

use super::{ToolCall, ToolResult, ToolSpec};
use crate::Error;

/// Something the desk can do.
#[async_trait::async_trait]
pub trait Tool: Send + Sync + 'static {
    /// What it takes, gives, needs and risks.
    fn spec(&self) -> &ToolSpec;

    /// Does it. `now` is the time in the desk's zone. A write must be done once per `call.idempotency_key`, however
    /// often it is called, and must answer `Done` only when it is stored. Errors are results, not panics.
    async fn run(&self, call: &ToolCall, now: &Zoned) -> ToolResult;
}

/// Tools by name.
#[derive(Clone)]
pub struct Toolbox {
    tools: BTreeMap<&'static str, Arc<dyn Tool>>,
    clock: SharedClock,
}

impl Toolbox {
    /// No tools yet; `clock` measures their timeouts.
    pub fn new(clock: SharedClock) -> Toolbox {
        Toolbox {
            tools: BTreeMap::new(),
            clock,
        }
    }

    /// Adds a tool; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, tool: Arc<dyn Tool>) -> Toolbox {
        self.tools.insert(tool.spec().name, tool);
        self
    }

    /// All declarations.
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.tools.values().map(|t| t.spec().clone()).collect()
    }

    /// Checks the call and makes it. A tool that overruns its time has failed, and may be tried again.
    ///
    /// # Errors
    /// [`Error::ToolRefused`] for an unknown tool, a missing, unknown or ill-typed argument, a missing proof, and for a
    /// tool that needs a read-back when an argument is not what was agreed to. The tool was not called then.
    pub async fn run(&self, call: &ToolCall, now: &Zoned) -> Result<ToolResult, Error> {
        let refuse = |reason: String| Error::ToolRefused {
            tool: call.tool.clone(),
            reason,
        };
        let tool = self
            .tools
            .get(call.tool.as_str())
            .ok_or_else(|| refuse("there is no such tool".into()))?;
        let spec = tool.spec();
        check(spec, call).map_err(refuse)?;
        let mut work = pin!(tool.run(call, now));
        let mut limit = self.clock.sleep(spec.timeout);
        let result = poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(r) => Poll::Ready(Some(r)),
            Poll::Pending => limit.as_mut().poll(cx).map(|()| None),
        });
        let late = || ToolResult::Failed {
            reason: "it took too long".into(),
            retryable: true,
        };
        Ok(result.await.unwrap_or_else(late))
    }
}

/// Does the call keep to the declaration?
fn check(spec: &ToolSpec, call: &ToolCall) -> Result<(), String> {
    for argument in &spec.arguments {
        match call.arguments.get(argument.name) {
            None if argument.required => return Err(format!("argument `{}` is missing", argument.name)),
            Some(v) if !argument.kind.fits(v) => {
                return Err(format!("argument `{}` is of another kind", argument.name));
            }
            _ => {}
        }
    }
    let known = |name: &String| spec.arguments.iter().any(|a| a.name == name);
    if let Some(name) = call.arguments.keys().find(|n| !known(n)) {
        return Err(format!("argument `{name}` is unknown"));
    }
    if call.proof < spec.proof {
        return Err(format!("it needs the proof {:?}", spec.proof));
    }
    if spec.read_back {
        let agreed = call.agreed.as_ref().ok_or("nothing was read back")?;
        if let Some((name, _)) = call.arguments.iter().find(|(n, v)| agreed.get(*n) != Some(v)) {
            return Err(format!("argument `{name}` is not what was read back"));
        }
    }
    Ok(())
}
