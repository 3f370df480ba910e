//! The stages of one direction of one stream, in their order.

use crate::{Frame, Stage};

/// Runs a frame through stages. The order is the specification's (VP-060 inbound, VP section 8 outbound) and is
/// given by the leg that builds the pipeline.
#[derive(Default)]
pub struct Pipeline {
    stages: Vec<Box<dyn Stage>>,
}

impl Pipeline {
    /// `stages` in the order of the frame's way.
    pub fn new(stages: Vec<Box<dyn Stage>>) -> Self {
        Pipeline { stages }
    }

    /// Works on a frame in place.
    pub fn process(&mut self, frame: &mut Frame) {
        for stage in &mut self.stages {
            stage.process(frame);
        }
    }

    /// Every stage forgets the stream, in order (VP-021).
    pub fn reset(&mut self) {
        for stage in &mut self.stages {
            stage.reset();
        }
    }

    /// Names of the stages, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.stages.iter().map(|s| s.name()).collect()
    }
}
